"""What a process has unfinished in a lake, in its own folder; what dead ones have left -> gone.

Writers and maintenance make a ``Work``; ``Lake.open``, maintenance, and who makes a temporary lake
sweep. What belongs to a process that lives is never touched. Where that cannot be known (another
machine, an earlier start of this one), what is a day old is taken for left.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from escudo.core.errors import EscudoError
from escudo.core.owners import is_gone, make_mark
from escudo.lake import delta
from escudo.lake.ledger import Ledger

ABANDONED = timedelta(days=1)
"""What is this old and unfinished belongs to no process at work."""

WORK = "work"
"""The folder of a lake for what is unfinished."""

_TEMPORARY = ("escudo-lake-", "escudo-spill-")
_KEPT = ("lookups", "collections", "models", "jobs")
_PATTERNS = (
    *("sort-*", "rejected/*.draft", *(f"{kind}/.*" for kind in _KEPT)),  # of earlier builds
    "tables/*/_delta_log/*#*",
)


class Work:
    """What one writer, or one maintenance, has unfinished in a lake.

    ``folder`` is for files that are moved to their places when they are whole, or thrown away. Data
    files lie in their tables; their names begin with ``token``. While the folder is there, they are
    looked after: if the process dies, the next one that opens the lake deletes those that no commit
    names.

    >>> with tempfile.TemporaryDirectory() as lake, Work(Path(lake)) as work:
    ...     work.begin()
    ...     work.folder.exists()
    True
    """

    def __init__(self, lake: Path) -> None:
        self.token = uuid.uuid4().hex[:16]
        self.folder = lake / WORK / f"{make_mark()}.{self.token}"

    def begin(self) -> None:
        """Makes the folder, if it is not there yet; for use before the first file."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def end(self) -> None:
        """Deletes the folder; for use when every data file is committed or deleted."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def sweep_dead(lake: Path, tables: Path, ledger: Ledger) -> int:
    """Deletes what processes that have died left of their work in a lake; the bytes freed.

    Nothing happens where the lake may not be written, or its ledger does not answer.
    """
    freed = 0
    with suppress(OSError, EscudoError):
        for folder in (lake / WORK).iterdir():
            gone = is_gone(folder.name)
            if gone or (gone is None and _is_old(folder)):
                freed += drop_unfinished(tables, ledger, folder.name.rpartition(".")[2])
                freed += _remove(folder)
    return freed


def drop_unfinished(tables: Path, ledger: Ledger, token: str) -> int:
    """Deletes the data files of a work that no commit names; the bytes freed."""
    freed = 0
    with ledger.exclusive() as transaction:
        pinned = transaction.pinned()
        for table in tables.glob("*"):
            versions = {c.versions[table.name] for c in pinned if table.name in c.versions}
            ours = list(table.glob(f"{token}*.parquet"))
            if ours:
                named = {f.path for v in versions for f in delta.active_files(table, v)}
                freed += sum(_remove(path) for path in ours if path.name not in named)
            # Commits are made under this lock, so these belong to nobody.
            freed += sum(_remove(path) for path in table.glob("_delta_log/*.json#*"))
    return freed


def sweep_lake(folder: Path) -> int:
    """Deletes unfinished files that have no owner and are a day old; the bytes freed."""
    return sum(
        _remove(path) for pattern in _PATTERNS for path in folder.glob(pattern) if _is_old(path)
    )


def name_temporary(prefix: str = _TEMPORARY[0]) -> str:
    """The beginning of the name of a temporary lake of this process."""
    return f"{prefix}{make_mark()}-"


def sweep_temporary() -> None:
    """Deletes temporary folders of this user's processes that are gone."""
    for prefix in _TEMPORARY:
        for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            gone = is_gone(path.name)
            if gone or (gone is None and _is_old(path)):
                _remove(path)


def _is_old(path: Path) -> bool:
    try:
        return path.lstat().st_mtime < time.time() - ABANDONED.total_seconds()
    except OSError:
        return False


def _remove(path: Path) -> int:
    """Deletes a file or folder of this user; its bytes."""
    freed = 0
    with suppress(OSError):
        facts = path.lstat()
        if hasattr(os, "getuid") and facts.st_uid != os.getuid():
            return 0
        if path.is_dir() and not path.is_symlink():
            freed = sum(f.lstat().st_size for f in path.rglob("*"))
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
            freed = facts.st_size
    return freed
