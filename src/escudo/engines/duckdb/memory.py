"""A query -> its result with little memory, or with more if it does not fit; the engine asks.

DuckDB keeps what it has until its limit is reached, so a large limit is taken even where a small
one would do. What sorts, joins and groups spills to disk; what gathers lists cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

import duckdb

T = TypeVar("T")


@dataclass(frozen=True)
class MemoryLimits:
    """The limit that all queries of a connection have, and the one of a query that needs more; as
    DuckDB writes them (``"512MiB"``)."""

    connection: duckdb.DuckDBPyConnection
    usual: str
    most: str
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def run(self, ask: Callable[[], T]) -> T:
        """What a query gives. One that does not fit is asked again, with as much as there may be.

        Raises:
            duckdb.OutOfMemoryException: it does not fit in that either.
        """
        try:
            return ask()
        except duckdb.OutOfMemoryException:
            with self._lock:  # one at a time: another may be why this one did not fit
                self._set(self.most)
                try:
                    return ask()
                finally:
                    # As long as others hold more than is usual, it stays.
                    with suppress(duckdb.Error):
                        self._set(self.usual)

    def _set(self, limit: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SET memory_limit = ?", [limit])
