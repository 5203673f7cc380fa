"""Queries under a small limit of memory: what does not fit has more, and only then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from escudo.actions.engines import DuckDBEngines
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.memory import MemoryLimits
from escudo.lake import Lake

USUAL = "64.0 MiB"
LARGE = "SELECT length(list(i::VARCHAR)) FROM range(4_000_000) t(i)"
"""A list is held whole: it does not spill."""


def _limit(connection: duckdb.DuckDBPyConnection) -> str:
    [(limit,)] = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    return str(limit)


def _ask(connection: duckdb.DuckDBPyConnection, sql: str) -> object:
    return connection.cursor().execute(sql).fetchall()


def test_a_query_that_does_not_fit_has_more_and_the_next_has_not() -> None:
    connection = connect(threads=1, memory_limit="64MiB", macros=False)
    with pytest.raises(duckdb.OutOfMemoryException):
        _ask(connection, LARGE)
    limits = MemoryLimits(connection, "64MiB", "2GiB")
    assert limits.run(lambda: _ask(connection, LARGE)) == [(4_000_000,)]
    assert _limit(connection) == USUAL


def test_a_query_that_never_fits_says_so() -> None:
    connection = connect(threads=1, memory_limit="32MiB", macros=False)
    limits = MemoryLimits(connection, "32MiB", "64MiB")
    with pytest.raises(duckdb.OutOfMemoryException):
        limits.run(lambda: _ask(connection, LARGE))
    assert limits.run(lambda: _ask(connection, "SELECT 1")) == [(1,)]


def test_several_that_do_not_fit_at_once_all_have_more() -> None:
    connection = connect(threads=1, memory_limit="64MiB", macros=False)
    limits = MemoryLimits(connection, "64MiB", "4GiB")
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(limits.run, lambda: _ask(connection, LARGE)) for _ in range(3)]
        assert [a.result() for a in asked] == [[(4_000_000,)]] * 3
    # One may have ended while another still held more than is usual.
    assert limits.run(lambda: _ask(connection, "SELECT 1")) == [(1,)]
    assert _limit(connection) == USUAL


@pytest.mark.parametrize("memory", [None, "300MB"])
def test_only_who_runs_many_searches_is_sparing(memory: str | None) -> None:
    with Lake.create_temporary() as lake:
        catalog = lake.snapshot()
        usual = DuckDBEngines(memory)(catalog)
        sparing = DuckDBEngines(memory, sparing=True)(catalog)
        assert usual.memory >= sparing.memory  # type: ignore[attr-defined]
        assert sparing.memory == (512 << 20 if memory is None else usual.memory)  # type: ignore[attr-defined]
