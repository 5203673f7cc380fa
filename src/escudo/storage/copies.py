"""A file of a storage -> a file of this machine with its content, for what only opens paths; the
lake's lookups and results are read so."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

from escudo.core.disk_cache import find_cache_folder, is_own
from escudo.storage.storage import Storage

KEPT_SECONDS = 7 * 86_400.0
"""How long a copy stays after its last use."""


def copy_here(storage: Storage, name: str) -> Path | None:
    """A path with the content that a file has now; None where there is no such file.

    Of a file elsewhere it is a copy in the user's cache, which is made once for each state of it.
    """
    if storage.path is not None:
        path = storage.path / name
        return path if path.is_file() else None
    stored = storage.find(name)
    if stored is None:
        return None
    state = f"{storage.place(name)}|{stored.size}|{stored.modified}"
    key = hashlib.blake2b(state.encode(), digest_size=16).hexdigest()
    copies = _find_copies()
    copy = copies / key / Path(name).name
    if copy.exists():
        with suppress(OSError):
            os.utime(copy.parent)
        return copy
    draft = copies / f".{uuid.uuid4().hex}"
    try:
        storage.fetch(name, draft)
        with suppress(OSError):  # another process was faster
            draft.rename(copy.parent)
    except FileNotFoundError:
        return None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _sweep(copies)
    return copy


def _find_copies() -> Path:
    folder = find_cache_folder()
    if folder is not None and is_own(folder):
        copies = folder / "copies"
    else:
        name = f"escudo-copies-{os.getuid() if hasattr(os, 'getuid') else 0}"
        copies = Path(tempfile.gettempdir()) / name
    copies.mkdir(mode=0o700, parents=True, exist_ok=True)
    return copies


def _sweep(copies: Path) -> None:
    for entry in copies.iterdir():
        with suppress(OSError):
            if entry.stat().st_mtime < time.time() - KEPT_SECONDS:
                shutil.rmtree(entry, ignore_errors=True)
