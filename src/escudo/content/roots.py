"""A content path -> the folder that its files stay in, and whether a file does; called where
content is loaded, and where a file that content names is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FOLDERS: Mapping[str, str] = {
    "detections": "detection",
    "macros": "macro",
    "lookups": "lookup",
    "stories": "story",
    "baselines": "baseline",
    "investigations": "investigation",
    "deployments": "deployment",
    "data_sources": "data source",
}
"""The folders of a security_content checkout, and what their files are."""


CONFIG = "contentctl.yml"
"""The file at the root of a checkout that says into which app it is built."""


def find_root(path: Path) -> Path:
    """The folder that nothing in a content path may lead out of.

    It is the folder that was given, or that of the file that was given. If that is a part of a
    checkout (``detections``, below a folder that has others of the kind, too), it is the checkout.
    """
    folder = path if path.is_dir() else path.parent
    for part in (folder, *folder.absolute().parents):
        if part.name in FOLDERS and sum((part.parent / name).is_dir() for name in FOLDERS) > 1:
            return part.parent
    return folder


def stays_inside(file: Path, root: Path) -> bool:
    """Whether a file is below a folder once all links are resolved.

    >>> stays_inside(Path("content/lookups/../a.csv"), Path("content"))
    True
    >>> stays_inside(Path("content/../../etc/passwd"), Path("content"))
    False
    """
    try:
        return file.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a link that leads to itself, a NUL in the name
        return False
