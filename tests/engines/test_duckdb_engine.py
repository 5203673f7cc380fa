"""Runs on DuckDB: files, missing columns, Arrow tables, streams, errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import exp, parse_one

from escudo.core.errors import EscudoError
from escudo.core.schema import REST_TYPE, Column, FieldType, TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb import DuckDBEngine, connect, duckdb_engine
from escudo.spl.relation.scans import Scan
from escudo.spl.relation.sql import column, select, table
from tests.conformance.catalog import RowsCatalog

SCHEMA = TableSchema(
    "t",
    (
        Column("a", physical="a", lower="a__lower"),
        Column("n", FieldType.INTEGER, physical="n"),
        Column("when", FieldType.TIME, physical="when"),
        Column("m", FieldType.MULTIVALUE, physical="m"),
    ),
    rest="_fields",
)


def engine(folder: Path, *tables: pa.Table) -> DuckDBEngine:
    paths = []
    for number, rows in enumerate(tables):
        path = folder / f"{number}.parquet"
        pq.write_table(rows, path)
        paths.append(str(path))
    catalog = RowsCatalog(folder, paths={"t": tuple(paths)})
    return DuckDBEngine(catalog, connect(threads=1))


def scan(*names: str) -> Scan:
    return Scan("scan$1", SCHEMA, ALL_TIME, {n: SCHEMA.by_name[n] for n in names})


def read(*idents: str) -> exp.Select:
    return select([column(i) for i in idents], table("scan$1"))


def test_no_files_give_an_empty_table_of_the_right_types(tmp_path: Path) -> None:
    query = read("a", "a__lower", "n", "when", "m", "_fields")
    found = engine(tmp_path).run(query, [scan("a", "n", "when", "m")])
    assert found.num_rows == 0
    stamp = found.schema.types[3]
    assert pa.types.is_timestamp(stamp)
    assert stamp.unit == "us"
    assert found.schema.types[:3] == [pa.string(), pa.string(), pa.int64()]
    assert pa.types.is_list(found.schema.types[4])
    assert found.schema.types[5] == REST_TYPE


def test_a_column_that_no_file_has_is_null(tmp_path: Path) -> None:
    found = engine(tmp_path, pa.table({"a": ["x"]})).run(read("a", "n"), [scan("a", "n")])
    assert found.to_pylist() == [{"a": "x", "n": None}]


def test_files_of_different_columns_are_read_by_name(tmp_path: Path) -> None:
    runner = engine(tmp_path, pa.table({"a": ["x"]}), pa.table({"n": [1], "a": ["y"]}))
    query = read("a", "n").order_by("a")
    assert runner.run(query, [scan("a", "n")]).to_pylist() == [
        {"a": "x", "n": None},
        {"a": "y", "n": 1},
    ]


def test_arrow_tables_are_read_by_name(tmp_path: Path) -> None:
    query = select([column("v")], table("rows$2"))
    found = engine(tmp_path).run(query, [], {"rows$2": pa.table({"v": [1, 2]})})
    assert found.column("v").to_pylist() == [1, 2]


def test_a_table_is_gone_after_the_run(tmp_path: Path) -> None:
    runner = engine(tmp_path)
    query = select([column("v")], table("rows$2"))
    runner.run(query, [], {"rows$2": pa.table({"v": [1]})})
    with pytest.raises(EscudoError, match="ENG001"):
        runner.run(query)


def test_streams_come_in_batches(tmp_path: Path) -> None:
    query = parse_one("SELECT range AS v FROM range(250000)", dialect="duckdb")
    sizes = [batch.num_rows for batch in engine(tmp_path).stream(query)]
    assert sum(sizes) == 250_000
    assert len(sizes) > 1


def test_a_stream_may_be_left_in_the_middle(tmp_path: Path) -> None:
    query = parse_one('SELECT v FROM "rows$2"', dialect="duckdb")
    runner = engine(tmp_path)
    batches = runner.stream(query, [], {"rows$2": pa.table({"v": range(250_000)})})
    assert next(batches).num_rows > 0
    batches.close()
    assert runner.run(parse_one("SELECT 1 AS v")).to_pylist() == [{"v": 1}]


def test_errors_are_coded(tmp_path: Path) -> None:
    with pytest.raises(EscudoError) as caught:
        engine(tmp_path).run(parse_one("SELECT nothing FROM nowhere"))
    assert caught.value.code == "ENG001"


def test_explain_shows_the_plan(tmp_path: Path) -> None:
    runner = engine(tmp_path, pa.table({"a": ["x"]}))
    assert "PARQUET" in runner.explain(read("a"), [scan("a")]).upper()
    assert "Total Time" in runner.explain(read("a"), [scan("a")], analyze=True)


def test_quotes_in_paths(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    folder.mkdir()
    found = engine(folder, pa.table({"a": ["x"]})).run(read("a"), [scan("a")])
    assert found.column("a").to_pylist() == ["x"]


def test_a_memory_limit_spills(tmp_path: Path) -> None:
    connection = connect(threads=1, memory_limit="200MB", temp_directory=str(tmp_path))
    runner = DuckDBEngine(RowsCatalog(tmp_path), connection)
    query = parse_one(
        "SELECT count(*) AS n FROM (SELECT hash(range) AS h, repeat('x', 50) AS p"
        " FROM range(3000000) ORDER BY h)",
        dialect="duckdb",
    )
    assert runner.run(query).to_pylist() == [{"n": 3_000_000}]


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) AS n, sum(x) AS x FROM (SELECT a, x FROM big ORDER BY a LIMIT 590000)",
        "SELECT count(*) AS n, sum(x) AS x FROM (SELECT a, sum(x) AS x FROM big GROUP BY a)",
        "SELECT count(*) AS n, sum(x) AS x FROM "
        "(SELECT x FROM big QUALIFY count(*) OVER (PARTITION BY a) = 1)",
        "SELECT count(*) AS n, sum(x) AS x FROM (SELECT x FROM big "
        "QUALIFY row_number() OVER (PARTITION BY a ORDER BY x) = 1)",
    ],
    ids=["sort", "stats", "eventstats", "dedup"],
)
def test_what_does_not_fit_into_memory_spills(tmp_path: Path, query: str) -> None:
    """190 MB of distinct texts in 100 MB of memory; each row is a group of its own."""
    path = tmp_path / "big.parquet"
    source = "SELECT repeat(md5(range::VARCHAR), 10) AS a, 1 AS x FROM range(600000)"
    spill = tmp_path / "spill"
    with connect(threads=2, memory_limit="100MB", temp_directory=str(spill)) as connection:
        connection.execute(f"COPY ({source}) TO '{path}' (ROW_GROUP_SIZE 10000)")
        connection.execute(f"CREATE VIEW big AS FROM read_parquet('{path}')")
        (row,) = connection.execute(query).fetchall()
        spilled = spill.exists()
    assert row == ((590_000, 590_000) if "LIMIT" in query else (600_000, 600_000))
    assert spilled


FIRST_SEARCHES = """
import time
from concurrent.futures import ThreadPoolExecutor

import sqlglot.dialects.dialect as dialect
from sqlglot import exp

make_trie = dialect.new_trie

def make_slowly(*args):
    time.sleep(0.2)
    return make_trie(*args)

dialect.new_trie = make_slowly

from escudo.engines.duckdb import DuckDBEngine

engine = DuckDBEngine(None)

def write(delay):
    time.sleep(delay)
    return engine.sql(exp.select(exp.Array(expressions=[exp.Literal.string("x")])))

with ThreadPoolExecutor(2) as threads:
    print(*threads.map(write, (0, 0.1)), sep=";")
"""
"""SQLGlot knows a dialect by its name while its class is being made, which is slow here."""


@pytest.mark.slow
def test_the_first_searches_of_a_process_may_run_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_SEARCHES], capture_output=True, check=True, timeout=120
    )
    assert done.stdout.decode().strip() == "SELECT ['x'];SELECT ['x']"


def test_files_with_the_same_columns_share_what_is_known_of_them(tmp_path: Path) -> None:
    """A server that takes in events each second has tens of thousands of files an hour."""
    paths = [str(tmp_path / f"{number}.parquet") for number in range(2)]
    for path in paths:
        pq.write_table(pa.table({"a": [1], "b": [2]}), path)
    first, second = map(duckdb_engine._file_columns, paths)
    assert first == {"a", "b"}
    assert first is second
