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
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from escudo.core.errors import EscudoError
from escudo.core.owners import is_gone, make_mark
from escudo.lake.ledger import Ledger
from escudo.lake.vacuum import ABANDONED, list_named
from escudo.storage import Storage

WORK = "work"
"""The folder of a lake for what is unfinished."""

RENEWED = timedelta(hours=1)
"""How often a process says in a lake elsewhere that it is at work."""

FETCHED = "escudo-fetched-"
"""What the temporary folders of copies of logs begin with."""
_TEMPORARY = ("escudo-lake-", "escudo-spill-", "escudo-searches-", FETCHED, "escudo-work-")
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

    Of a lake elsewhere the folder is a temporary one of this machine, and a file in the lake, of
    the same name, stands for it.

    >>> from escudo.storage import Folder
    >>> with tempfile.TemporaryDirectory() as lake, Work(Folder(Path(lake))) as work:
    ...     work.begin()
    ...     work.folder.exists()
    True
    """

    def __init__(self, lake: Storage) -> None:
        self.token = uuid.uuid4().hex[:16]
        self._name = f"{make_mark()}.{self.token}"
        self._sign = lake.below(WORK)
        self._signed = 0.0
        if lake.path is not None:
            self.folder = lake.path / WORK / self._name
        else:
            self.folder = Path(tempfile.gettempdir()) / f"{_TEMPORARY[-1]}{self._name}"

    def begin(self) -> None:
        """Makes the folder, if it is not there yet; for use before the first file."""
        self.folder.mkdir(mode=0o777 if self._is_here else 0o700, parents=True, exist_ok=True)
        if not self._is_here and not self._signed:
            self._sign.write(self._name, b"")
            self._signed = time.time()

    def renew(self) -> None:
        """Says in a lake elsewhere that this process is still at work; for use now and then."""
        if self._signed and time.time() - self._signed > RENEWED.total_seconds():
            self.require()
            self._sign.write(self._name, b"")
            self._signed = time.time()

    def require(self) -> None:
        """Raises LAK028 where another machine took this work for left: its files are gone."""
        if self._signed and self._sign.find(self._name) is None:
            raise EscudoError("LAK028", f"{self._sign.place(self._name)} is gone")

    def find_drafts(self, table: Storage) -> Path:
        """The folder that data files of a table are written in."""
        if table.path is not None:
            return table.path
        return self.folder / table.name

    def end(self) -> None:
        """Deletes the folder; for use when every data file is committed or deleted."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._signed:
            with suppress(EscudoError):
                self._sign.delete(self._name)
            self._signed = 0.0

    @property
    def _is_here(self) -> bool:
        return self._sign.path is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def sweep_dead(lake: Storage, tables: Storage, ledger: Ledger) -> int:
    """Deletes what processes that have died left of their work in a lake; the bytes freed.

    Nothing happens where the lake may not be written, or its ledger does not answer.
    """
    freed = 0
    with suppress(OSError, EscudoError):
        if lake.path is None:
            return _sweep_signs(lake.below(WORK), tables, ledger)
        for folder in (lake.path / WORK).iterdir():
            gone = is_gone(folder.name)
            if gone or (gone is None and _is_old(folder)):
                freed += drop_unfinished(tables, ledger, folder.name.rpartition(".")[2])
                freed += _remove(folder)
    return freed


def _sweep_signs(signs: Storage, tables: Storage, ledger: Ledger) -> int:
    freed = 0
    for sign in signs.list_files():
        gone = is_gone(sign.name)
        old = sign.modified < time.time() - ABANDONED.total_seconds()
        if gone or (gone is None and old):
            token = sign.name.rpartition(".")[2]
            freed += drop_unfinished(tables, ledger, token, partial(signs.delete, sign.name))
    return freed


def drop_unfinished(
    tables: Storage, ledger: Ledger, token: str, forget: Callable[[], None] | None = None
) -> int:
    """Deletes the data files of a work that no commit names, and what stands for it; the bytes
    freed."""
    freed = 0
    with ledger.exclusive() as transaction:
        if forget is not None:
            forget()  # first, so that its owner commits nothing from here on
        pinned = transaction.pinned()
        for name in tables.list_folders():
            table = tables.below(name)
            ours = [s for s in table.list_files(begin=token) if s.name.endswith(".parquet")]
            if ours:
                named = list_named(table, pinned)
                for stored in ours:
                    if stored.name not in named:
                        table.delete(stored.name)
                        freed += stored.size
            if table.path is not None:
                # Commits are made under this lock, so these belong to nobody.
                freed += sum(_remove(path) for path in table.path.glob("_delta_log/*.json#*"))
    return freed


def sweep_lake(lake: Storage) -> int:
    """Deletes unfinished files that have no owner and are a day old; the bytes freed."""
    if lake.path is None:
        return 0
    return sum(
        _remove(path) for pattern in _PATTERNS for path in lake.path.glob(pattern) if _is_old(path)
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
