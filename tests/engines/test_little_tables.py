"""Files that are read again and again: the same rows, and nothing that stays behind."""

from __future__ import annotations

import gc
from pathlib import Path

import duckdb
import polars as pl
import pytest

from escudo.engines.duckdb import little_tables
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.little_tables import FIRST_READS, LittleTables


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return connect(threads=1)


def _write(path: Path, **columns: list[object]) -> str:
    pl.DataFrame(columns).write_parquet(path)
    return str(path)


def _read(paths: list[str]) -> str:
    return f"read_parquet({paths!r}, union_by_name = true)"


def _list_kept(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in connection.execute("SHOW TABLES").fetchall()]


def test_files_are_kept_from_the_third_read_on(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    paths = [_write(tmp_path / "a", x=[1]), _write(tmp_path / "b", x=[2], y=["z"])]
    little = LittleTables(connection)
    found = [little.find(paths, lambda: _read(paths)) for _ in range(FIRST_READS + 1)]
    assert found[: FIRST_READS - 1] == [None] * (FIRST_READS - 1)
    assert found[-2] == found[-1]
    rows = connection.execute(f"SELECT x, y FROM {found[-1]}").fetchall()
    assert rows == [(1, None), (2, "z")]
    assert little.find(paths[:1], lambda: _read(paths[:1])) is None, "other files"


def test_too_much_or_unreadable_is_not_kept(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("no parquet")
    little = LittleTables(connection)
    for _ in range(FIRST_READS + 1):
        assert little.find([str(broken)], lambda: _read([str(broken)])) is None
    paths = [_write(tmp_path / "a", x=[1])]
    monkeypatch.setattr(little_tables, "MOST_BYTES", 10)
    small = LittleTables(connection)
    for _ in range(FIRST_READS + 1):
        assert small.find(paths, lambda: _read(paths)) is None


def test_tables_go_with_those_who_kept_them(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    paths = [_write(tmp_path / "a", x=[1])]
    first, second = LittleTables(connection), LittleTables(connection)
    for little in (first, second):
        for _ in range(FIRST_READS):
            little.find(paths, lambda: _read(paths))
    assert len(_list_kept(connection)) == 2
    del first, little
    gc.collect()
    assert len(_list_kept(connection)) == 1
    del second
    gc.collect()
    assert _list_kept(connection) == []
