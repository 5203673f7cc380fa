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


def _digest(path: Path) -> str:
    return blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()[:_DIGITS]


class Checked:
    """The files of a lake that were found intact; each is looked at once while the lake is open."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._lock = Lock()

    def require(self, table: str, paths: Iterable[str]) -> None:
        """Raises LAK005 for a file that is gone, LAK018 for one that is damaged."""
        for path in paths:
            with self._lock:
                if path in self._paths:
                    if not Path(path).exists():
                        raise EscudoError("LAK005", f"table {table}: {path} is missing")
                    continue
            try:
                intact = is_intact(Path(path))
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
