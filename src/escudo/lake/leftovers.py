"""What processes that died have left in a lake, and temporary lakes of theirs -> gone; for
maintenance and for who makes a temporary lake."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

ABANDONED = timedelta(days=1)
"""What is this old and unfinished belongs to no process at work."""

TEMPORARY = "escudo-lake-"
_KEPT = ("lookups", "collections", "models", "jobs")
_PATTERNS = ("sort-*", "rejected/*.draft", *(f"{kind}/.*" for kind in _KEPT))


def sweep_lake(folder: Path) -> int:
    """Deletes unfinished files of a lake that are a day old; the bytes freed."""
    freed = 0
    for pattern in _PATTERNS:
        for path in folder.glob(pattern):
            freed += _sweep(path)
    return freed


def sweep_temporary() -> None:
    """Deletes temporary lakes of processes of this user that are gone, a day after."""
    for path in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        owner = path.name.removeprefix(TEMPORARY).partition("-")[0]
        if not (owner.isdigit() and _is_alive(int(owner))):
            _sweep(path)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _sweep(path: Path) -> int:
    freed = 0
    with suppress(OSError):
        facts = path.lstat()
        mine = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
        if not mine or facts.st_mtime > time.time() - ABANDONED.total_seconds():
            return 0
        if path.is_dir() and not path.is_symlink():
            freed = sum(f.lstat().st_size for f in path.rglob("*"))
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
            freed = facts.st_size
    return freed
