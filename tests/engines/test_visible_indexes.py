"""An engine that reads the rows of some indexes alone."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from escudo.content import load
from escudo.engines.duckdb.connection import confine, connect
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.execute import run_search
from escudo.lake import Lake
from escudo.lake.table_rows import lay_out

INDEXES = ["main", "win", "win_ad", "a.c", "abc", None]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("*",), ["a.c", "abc", "main", "win", "win_ad", None]),
        (("win*",), ["win", "win_ad"]),
        (("win", "main"), ["main", "win"]),
        (("a.c",), ["a.c"]),
        (("w?n",), []),
        (("wi(n|x)",), []),
        (("it's",), []),
        ((), []),
    ],
)
def test_it_reads_the_rows_of_these_indexes(patterns: tuple[str, ...], expected: list[str]) -> None:
    with Lake.create_temporary() as lake:
        schema = next(s for s in lake.tables.raw if s.table == "raw_stash")
        rows = {"index": pa.array(INDEXES), "_time": pa.array([1.0] * len(INDEXES))}
        with lake.writer() as writer:
            writer.append_rows("raw_stash", lay_out(rows, schema))
            writer.commit()
        snapshot = lake.snapshot()
        engine = DuckDBEngine(snapshot, connect(threads=1), indexes=patterns)
        for one in (engine, engine.over(snapshot)):
            found = run_search(
                "NOT nothing=here | table index", one, snapshot, load([]).knowledge, now=0.0
            )
            names = found.table["index"].to_pylist()
            assert sorted(names, key=lambda name: name or "~") == expected


@pytest.mark.parametrize(
    "statement",
    [
        "FROM read_text('/etc/hostname')",
        "FROM read_csv('/etc/passwd')",
        "FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/escudo-not-written.csv'",
        "ATTACH '/tmp/escudo-not-attached.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "FROM read_text('http://127.0.0.1:9/x')",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET memory_limit = '1TB'",
        "FROM visible_only_to_python",
    ],
)
def test_a_confined_connection_reaches_nothing(statement: str) -> None:
    visible_only_to_python = pa.table({"a": [1]})
    connection = connect(threads=1, macros=False)
    confine(connection, ["/nowhere"])
    assert visible_only_to_python.num_rows == 1
    with pytest.raises(duckdb.Error):
        connection.execute(statement)


def test_a_confined_connection_reads_its_folders_and_spills(tmp_path: object) -> None:
    connection = connect(threads=1, macros=False, memory_limit="32MB")
    (file := f"{tmp_path}/a.parquet")
    connect(threads=1, macros=False).execute(f"COPY (SELECT 42 AS a) TO '{file}'")
    confine(connection, [str(tmp_path)])
    assert connection.execute(f"FROM read_parquet('{file}')").fetchall() == [(42,)]
    many = "SELECT max(a) FROM (SELECT a, random() r FROM range(3000000) t(a) ORDER BY r)"
    assert connection.execute(many).fetchone() == (2_999_999,)
