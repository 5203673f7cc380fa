"""A name -> a content pack that is kept in a store; the command line finds it by its name, loading
finds the local changes that belong to it, ``authoring.store`` writes it.

A store is a folder with one folder a pack: ``pack.json``, the content in ``content-PIN``, and the
user's own ``overlay``, which stays when the content is replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from escudo.core.errors import EscudoError

PACK_FILE = "pack.json"
OVERLAY = "overlay"
CONTENT = "content-"
"""What the name of the folder with a pack's content begins with."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def is_pack_name(text: str) -> bool:
    """Whether a text can name a pack: no path, no URL.

    >>> is_pack_name("escu"), is_pack_name("../escu"), is_pack_name("a/b")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None and not text.endswith(".")


def find_pack(store: Path, name: str) -> Path | None:
    """The content of a pack; None where the store has none of that name.

    Raises:
        EscudoError: CON231 where what is known of it cannot be read.
    """
    folder = store / name
    if not is_pack_name(name) or not (folder / PACK_FILE).is_file():
        return None
    content = read_pack(folder).get("content")
    if not isinstance(content, str) or not content.startswith(CONTENT) or "/" in content:
        raise EscudoError("CON231", f"{folder / PACK_FILE} does not say which content is in use")
    if not (folder / content).is_dir():
        raise EscudoError("CON231", f"{folder / content} is gone")
    return folder / content


def read_pack(folder: Path) -> Mapping[str, Any]:
    """What is known of a pack.

    Raises:
        EscudoError: CON231 where it cannot be read.
    """
    file = folder / PACK_FILE
    try:
        known = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EscudoError("CON231", f"{file} cannot be read: {error}") from error
    if not isinstance(known, dict):
        raise EscudoError("CON231", f"{file} is no JSON object")
    return known


def find_overlay(path: Path) -> Path | None:
    """The local changes that belong to a content path: those of the pack whose content it is."""
    folder = path.parent
    if not path.name.startswith(CONTENT) or not (folder / PACK_FILE).is_file():
        return None
    overlay = folder / OVERLAY
    return overlay if overlay.is_dir() else None
