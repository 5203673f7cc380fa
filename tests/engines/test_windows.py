"""One query for many windows gives what a query for each gives, or is not made."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from escudo.core.catalog import Catalog
from escudo.core.timerange import TimeRange
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.windows import run_in_windows
from escudo.spl import Runner
from escudo.spl.compile import Compiled, compile_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog

HOUR = 3600.0
ROWS = [
    {"_time": NOW - age * HOUR, "user": user, "n": str(n)}
    for age, user, n in [
        (30.0, "a", 5),
        (29.5, "b", 6),
        (29.0, "a", 7),
        (12.0, "b", 1),
        (11.0, "b", 2),
        (3.0, "c", 9),
        (2.0, "a", 4),
    ]
]
WINDOWS = [TimeRange(NOW - age * HOUR, NOW - (age - 6) * HOUR) for age in (32, 30, 20, 13, 5, 4)]


def run(folder: Path, spl: str) -> tuple[list[pa.Table] | None, list[pa.Table]]:
    """The rows in all windows by one query, if there is one, and by a query for each."""
    catalog = RowsCatalog(folder)
    catalog.events(ROWS)
    engine = DuckDBEngine(catalog, connect(threads=1))

    def compile_in(window: TimeRange, held: Catalog, runner: Runner) -> Compiled:
        now = window.latest or NOW
        return compile_search(
            spl, held, PlainKnowledge(), now=now, within=window, runner=runner, provenance=True
        )

    together = run_in_windows(compile_in, WINDOWS, catalog, engine)
    each = []
    for window in WINDOWS:
        compiled = compile_in(window, catalog, engine)
        rows = engine.run(compiled.query, compiled.scans, compiled.tables)
        each.append(rows.rename_columns([name for name, _, _ in compiled.output]))
    return None if together is None else [r.table for r in together], each


@pytest.mark.parametrize(
    "spl",
    [
        "index=main | stats count sum(n) as n values(user) as users by user",
        "index=main | stats count dc(n) as n by user | where count > 1",
        "index=main | table _time user n | sort 0 - n",
        "index=main | eventstats sum(n) as total by user | where total > 4 | table user n total",
        "index=main | streamstats count as seen by user | table user seen n",
        "index=main | dedup user | table user n",
    ],
)
def test_all_windows_together_give_the_rows_of_each(tmp_path: Path, spl: str) -> None:
    together, each = run(tmp_path, spl)
    assert together is not None
    assert [t.to_pylist() for t in together] == [t.to_pylist() for t in each]
    assert any(t.num_rows for t in each)


@pytest.mark.parametrize(
    "spl",
    [
        pytest.param("index=main | stats count", id="a row of nothing"),
        pytest.param("index=main | head 1 | table user", id="the first rows"),
        pytest.param("index=main | eval age=now()-_time | table user age", id="the clock"),
        pytest.param("index=main | addinfo | table user info_min_time", id="the ends as values"),
        pytest.param("index=main earliest=-1h | table user", id="a window of its own"),
        pytest.param("index=main [search index=main | head 1 | fields user] | table n", id="runs"),
        pytest.param("| makeresults | eval a=1 | table a", id="reads nothing"),
    ],
)
def test_what_a_join_might_change_is_not_joined(tmp_path: Path, spl: str) -> None:
    together, _ = run(tmp_path, spl)
    assert together is None


def test_windows_without_an_end_are_not_joined(tmp_path: Path) -> None:
    catalog = RowsCatalog(tmp_path)
    engine = DuckDBEngine(catalog, connect(threads=1))

    def compile_in(window: TimeRange, held: Catalog, runner: Runner) -> Compiled:
        raise AssertionError(window)

    windows = [TimeRange(None, NOW), TimeRange(NOW, NOW + 1)]
    assert run_in_windows(compile_in, windows, catalog, engine) is None
