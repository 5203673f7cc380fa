"""A query -> its result with little memory, or with more if it does not fit; the engine asks.

DuckDB keeps what it has until its limit is reached, so a large limit is taken even where a small
one would do. What sorts, joins and groups spills to disk; what gathers lists cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TypeVar

import duckdb

T = TypeVar("T")


class MemoryLimits:
    """The limit that all queries of a connection have, and the one of a query that needs more; as
    DuckDB writes them (``"512MiB"``)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, usual: str, most: str) -> None:
        self._connection = connection
        self._usual = usual
        self._most = most
        self._raised = False
        self._lock = Lock()

    def run(self, ask: Callable[[], T]) -> T:
        """What a query gives. One that does not fit is asked again, with as much as there may be.

        Raises:
            duckdb.OutOfMemoryException: it does not fit in that either.
        """
        if self._raised and self._lock.acquire(blocking=False):
            try:
                self._lower()
            finally:
                self._lock.release()
        try:
            return ask()
        except duckdb.OutOfMemoryException:
            with self._lock:  # one at a time: another may be why this one did not fit
                self._set(self._most)
                self._raised = True
                try:
                    return ask()
                finally:
                    self._lower()

    def _lower(self) -> None:
        """Sets the usual limit. As long as others hold more than that, it stays: the next query
        tries again."""
        with suppress(duckdb.Error):
            self._set(self._usual)
            self._raised = False

    def _set(self, limit: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("SET memory_limit = ?", [limit])
