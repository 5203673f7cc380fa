"""Data files <-> the digest in their names; writers seal files, readers and ``verify`` check them.

A file is named after its content (``<id>-<digest>.parquet``), so that a flipped bit is found and
not believed, whoever lists the file and whatever becomes of the ledger. Files of older lakes have
no digest in their names and cannot be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from blake3 import blake3

from escudo.core.errors import EscudoError
from escudo.lake.ledger import Ledger
from escudo.storage import find_scheme

_DIGITS = 32
"""Hexadecimal digits of the BLAKE3 digest that a name has: 128 bits."""
_NAME = re.compile(r"-([0-9a-f]{32})\.parquet$")


def seal(path: Path) -> Path:
    """Renames a finished file after its content; its new path."""
    sealed = path.with_name(f"{path.stem}-{_digest(path)}.parquet")
    path.rename(sealed)
    return sealed


def is_intact(path: Path) -> bool | None:
    """Whether a file's content is what was written; None where its name has no digest."""
    named = _NAME.search(path.name)
    return None if named is None else named[1] == _digest(path)


def _describe(path: Path) -> str:
    """The note of a file: its table and name, its size in bytes, when it was changed (ns)."""
    status = path.stat()
    return f"{path.parent.name}/{path.name}\t{status.st_size}\t{status.st_mtime_ns}"


def _digest(path: Path) -> str:
    return blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()[:_DIGITS]


class Checked:
    """The files of a lake that were found intact, so that each is read for this once.

    A file whose size and time of change are as the ledger notes them is not read again; one that
    was written to since is. What changes bits without a write (a medium that decays) is found by
    ``verify``, which reads every file. A lake that cannot be written to has no notes, and a storage
    elsewhere checks what it keeps itself.
    """

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        self._noted: set[str] | None = None
        self._paths: set[str] = set()
        self._lock = Lock()

    def _load_notes(self) -> set[str]:
        if self._noted is None:
            self._noted = self._ledger.intact_files() if self._ledger is not None else set()
        return self._noted

    def require(self, table: str, paths: Iterable[str]) -> None:
        """Raises LAK005 for a file that is gone, LAK018 for one that is damaged."""
        fresh: list[str] = []
        for path in paths:
            if find_scheme(path) is not None:
                continue
            with self._lock:
                if path in self._paths:
                    if not Path(path).exists():
                        raise EscudoError("LAK005", f"table {table}: {path} is missing")
                    continue
            try:
                note = _describe(Path(path))
                noted = note in self._load_notes()
                intact = noted or is_intact(Path(path))
                if intact and not noted:
                    fresh.append(note)
            except FileNotFoundError as error:
                message = f"table {table}: {path} is missing"
                raise EscudoError("LAK005", message) from error
            except OSError as error:
                message = f"table {table}: {path} cannot be read: {error.strerror or error}"
                raise EscudoError("LAK018", message) from error
            if intact is False:
                raise EscudoError("LAK018", f"table {table}: {path} is not as it was written")
            if intact is None and not Path(path).exists():
                raise EscudoError("LAK005", f"table {table}: {path} is missing")
            with self._lock:
                self._paths.add(path)
        if fresh and self._ledger is not None:
            self._ledger.note_intact(fresh)
