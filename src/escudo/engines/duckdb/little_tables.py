"""Files that are read again and again -> tables in memory; the engine asks, search by search.

Opening Parquet files costs more than the rows of a small lake (2026-11-29: 5 of 20 ms of a search
over 5,382 events), and a hunt reads the same files a hundred times.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from threading import Lock

import duckdb

from escudo.storage import find_size, hold_at_most

FIRST_READS = 3
"""Reads of the same files before they are kept."""

MOST_BYTES = 16 << 20
"""Bytes of files that are kept, all tables together; several times as many in memory."""


MOST_COUNTED = 1_000
"""Groups of files whose reads are counted: an engine that lives for long sees many."""

_numbers = count()


class LittleTables:
    """The tables that an engine, and those made of it, keep in their connection.

    What is kept stays for as long as one of these engines does, since a search may be about to read
    it. Files of a lake never change; another state of it has other files.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._reads: Counter[tuple[str, ...]] = Counter()
        self._names: dict[tuple[str, ...], str] = {}
        self._left = MOST_BYTES
        self._lock = Lock()
        weakref.finalize(self, _drop, connection, self._names).atexit = False

    def find(self, paths: Sequence[str], read: Callable[[], str]) -> str | None:
        """The table that holds the rows of files, with all their columns; None if there is none.

        ``read`` gives the SQL that reads them. One that cannot be read is not kept, and the search
        says why.
        """
        key = tuple(paths)
        with self._lock:
            if len(self._reads) > MOST_COUNTED:
                self._reads.clear()
            self._reads[key] += 1
            if (
                key not in self._names
                and self._reads[key] == FIRST_READS
                and hold_at_most(self._left, key)
            ):
                with suppress(duckdb.Error, OSError):
                    self._keep(key, read())
            return self._names.get(key)

    def _keep(self, key: tuple[str, ...], read: str) -> None:
        name = f"little_{next(_numbers)}"
        with self._connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {name} AS FROM {read}")
        self._left -= sum(map(find_size, key))
        self._names[key] = name


def _drop(connection: duckdb.DuckDBPyConnection, names: Mapping[tuple[str, ...], str]) -> None:
    with suppress(duckdb.Error):  # the connection may be closed
        for name in names.values():
            connection.cursor().execute(f"DROP TABLE {name}")
