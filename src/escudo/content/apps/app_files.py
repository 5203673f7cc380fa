"""A content path -> the folders of the Splunk apps in it; ``collection`` calls it."""

from __future__ import annotations

import tarfile
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from escudo.core.errors import EscudoError

CONFS = (
    *("savedsearches", "macros", "transforms", "props", "collections", "eventtypes", "tags"),
    "analyticstories",
)
ARCHIVES = (".spl", ".tgz", ".tar.gz")
_MOST_BYTES = 2 << 30
_MOST_MEMBERS = 100_000
"""Limits of an archive, unpacked; the largest public apps have some 100 MB in 10,000 files."""


def find_apps(path: Path) -> tuple[Path, ...]:
    """The folder itself where it is an app, else those right below it that are."""
    if not path.is_dir():
        return ()
    if _is_app(path):
        return (path,)
    return tuple(p for p in sorted(path.iterdir()) if p.is_dir() and _is_app(p))


def _is_app(folder: Path) -> bool:
    return any(
        (folder / part / f"{name}.conf").is_file()
        for part in ("default", "local")
        for name in CONFS
    )


def is_archive(path: Path) -> bool:
    """Whether a file has the name of an app's archive."""
    return path.is_file() and path.name.lower().endswith(ARCHIVES)


def unpack_archive(path: Path) -> tempfile.TemporaryDirectory[str]:
    """An archive's files in a temporary folder, which is there as long as the object.

    Raises:
        EscudoError: CON221 where it cannot be unpacked: damaged, too large, or with members that
            would lie outside of the folder.
    """
    folder = tempfile.TemporaryDirectory(prefix="escudo-app-")
    try:
        unpack_into(path, Path(folder.name))
    except EscudoError:
        folder.cleanup()
        raise
    return folder


def unpack_into(path: Path, folder: Path) -> None:
    """Unpacks an archive into a folder. Raises what ``unpack_archive`` does."""
    try:
        with _import_tar().open(path) as archive:
            size = 0
            for count, member in enumerate(archive, 1):
                size += member.size
                if size > _MOST_BYTES or count > _MOST_MEMBERS:
                    raise EscudoError("CON221", f"{path}: it holds more than an app may have")
                archive.extract(member, folder, filter="data")
    except EscudoError:
        raise
    except Exception as error:  # whatever the library raises on damaged input
        raise EscudoError("CON221", f"{path} cannot be unpacked: {error}") from error


def _import_tar() -> Any:
    """Python refuses members that would lie outside of the folder (PEP 706) from 3.11.4 on; Debian
    12 has 3.11.2."""
    return tarfile if hasattr(tarfile, "data_filter") else import_module("backports.tarfile")
