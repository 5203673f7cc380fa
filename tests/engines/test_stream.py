"""Rows streamed are the rows of one table, whatever fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from escudo.engines import execute
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Engine, cut_stretches, run_compiled, stream_compiled
from escudo.engines.spark.available import explain_unavailable
from escudo.spl.compile import Compiled, compile_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog

MINUTES = (0, 0, 1, 3, 3, 3, 90, 1500)
ROWS: list[dict[str, Any]] = [
    {"_time": NOW - 60.0 * minutes - i / 7, "user": f"u{i % 3}", "EventCode": str(i)}
    for i, minutes in enumerate(MINUTES * 2)
]
ROW_BY_ROW = (
    "index=main",
    "index=main | fields user",
    'index=main user!=u1 | eval n=EventCode*2 | where n>4 | rex field=user "(?<d>[0-9])"',
    "index=main earliest=-2h | table _time EventCode n{}",
    "index=* user=u2 | rename user AS who | search who=*",
)
TOGETHER = (
    "index=main | head 5",
    "index=main | sort 0 EventCode",
    "index=main | stats count BY user",
    "index=main | streamstats count BY user",
    "index=main | dedup user",
    "index=main | reverse",
    "index=main | append [search index=main | head 1]",
    "| makeresults | eval a=1",
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> RowsCatalog:
    made = RowsCatalog(Path(tmp_path_factory.mktemp("stream")))
    made.events(ROWS, table="one")
    others = [{**r, "_time": r["_time"] - 0.01, "n{}": ["a", "b"]} for r in ROWS[:5]]
    made.events(others, table="two", in_rest=True)
    return made


@pytest.fixture(
    scope="module",
    params=["duckdb", pytest.param("spark", marks=[pytest.mark.spark, pytest.mark.slow])],
)
def engine(request: pytest.FixtureRequest, catalog: RowsCatalog) -> Engine:
    if request.param == "duckdb":
        return DuckDBEngine(catalog, connect(threads=1))
    if (why := explain_unavailable()) is not None:
        pytest.skip(why)
    module = pytest.importorskip("escudo.engines.spark.spark_engine")
    made: Engine = module.SparkEngine(catalog)
    return made


def compiled(text: str, engine: Engine, catalog: RowsCatalog) -> Compiled:
    return compile_search(text, catalog, PlainKnowledge(), now=NOW, runner=engine)


def shown(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


@pytest.mark.parametrize("cells", [1, 100, None])
@pytest.mark.parametrize("text", ROW_BY_ROW + TOGETHER)
def test_streamed_rows_are_the_rows(
    text: str, cells: int | None, engine: Engine, catalog: RowsCatalog
) -> None:
    search = compiled(text, engine, catalog)
    whole = shown(iter(run_compiled(search, engine).to_pylist()))
    tables = stream_compiled(search, engine, cells, wide=0)
    assert shown(row for t in tables for row in t.to_pylist()) == whole
    assert whole


@pytest.mark.parametrize("text", ROW_BY_ROW)
def test_rows_that_need_no_others_are_read_by_stretches(
    text: str, engine: Engine, catalog: RowsCatalog
) -> None:
    search = compiled(text, engine, catalog)
    tables = [run_compiled(s, engine) for s in cut_stretches(search, engine, 1, wide=0)]
    minutes = [{int(t // 60) for t in table["_time"].to_pylist()} for table in tables]
    assert len(minutes) > 1
    assert all(len(m) == 1 for m in minutes)
    assert sorted((min(m) for m in minutes), reverse=True) == [min(m) for m in minutes]


@pytest.mark.parametrize("text", TOGETHER)
def test_rows_that_need_others_are_read_in_one_piece(
    text: str, engine: Engine, catalog: RowsCatalog
) -> None:
    search = compiled(text, engine, catalog)
    assert list(cut_stretches(search, engine, 1, wide=0)) == [search]


def test_narrow_rows_are_left_to_the_engine(engine: Engine, catalog: RowsCatalog) -> None:
    search = compiled("index=main", engine, catalog)
    width = len(search.output)
    assert list(cut_stretches(search, engine, 1, wide=width + 1)) == [search]
    assert len(list(cut_stretches(search, engine, 1, wide=width))) > 1


def test_as_many_cells_are_sorted_together_as_fit(
    catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = DuckDBEngine(catalog, connect(threads=1, memory_limit="1GB"))
    search = compiled("index=main", limited, catalog)
    taken: list[int] = []

    def noted(search: Compiled, engine: Engine, cells: int, wide: int) -> Iterator[Compiled]:
        taken.append(cells)
        yield search

    monkeypatch.setattr(execute, "cut_stretches", noted)
    assert list(execute.stream_compiled(search, limited))
    # DuckDB tells the limit in MiB, with one decimal.
    assert taken[0] * execute.CELL_BYTES == pytest.approx(1e9, rel=1e-3)
