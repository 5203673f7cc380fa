"""The first rows of a subsearch in the order of time: the same, read of the first hours alone."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest

from escudo.engines.duckdb import DuckDBEngine
from escudo.engines.execute import Result, run_search
from escudo.spl import Scan
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.shared_engine import engine_over

HOUR = 3600.0
START = NOW - 50 * HOUR


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> RowsCatalog:
    made = RowsCatalog(tmp_path_factory.mktemp("rows"))
    made.events(
        [
            {
                "_time": START + n * 700.0,
                "a": "xyzw"[n % 4],
                "b": "rare" if n % 9 == 0 else "often",
                "late": "1" if n == 242 else "0",
            }
            for n in range(250)
        ]
    )
    return made


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The ends of what is read of each table, where a subsearch reads the begin of its time."""
    ends: list[float] = []
    run = DuckDBEngine.run

    def note(
        engine: DuckDBEngine, query: object, scans: Sequence[Scan] = (), tables: object = None
    ) -> pa.Table:
        ends.extend(s.within.latest for s in scans if s.within.latest is not None)
        return run(engine, query, scans, tables)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckDBEngine, "run", note)
    return ends


BEGUN = "| makeresults | fields - _time | append maxout={most} [{inner}]"
EARLY = (
    "| tstats count WHERE index=main BY _time span=1h a",
    "| tstats count values(b) AS b WHERE index=main BY _time span=2h a | rename a AS c",
    "| tstats count WHERE index=main b=rare BY _time span=30m",
    "| tstats count WHERE index=main BY _time span=1h a | eval d=a.count | search d=x*",
    "| tstats count WHERE index=main BY _time span=1h a | fields - _time",
    "| tstats count WHERE index=main BY _time span=1h a | eval _time=_time-9999999",
    "| tstats count WHERE index=main BY _time span=1h a | eval _time=0",
)
WHOLE = (
    "| tstats count WHERE index=main BY a _time span=1h",
    "| tstats count WHERE index=main BY _time a",
    "| tstats count WHERE index=main BY _time span=1d a",
    "| tstats count WHERE index=main BY _time span=1h a | sort - _time",
    "| tstats count WHERE index=main BY _time span=1h a | streamstats count AS n",
    "| tstats count WHERE index=main BY _time span=1h a | dedup a",
    "| tstats count WHERE index=main [search index=main late=1 | fields a] BY _time span=1h a",
    "index=main | stats count BY _time a",
    "| tstats count WHERE index=main b=none BY _time span=1h a",
    f"| tstats count WHERE index=main earliest={START + 90 * HOUR / 24} BY _time span=1h a",
)


def run(
    search: str, catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> Result:
    monkeypatch.setattr(DuckDBEngine, "proves_late", lambda _engine, _scans: large)
    return run_search(search, engine_over(catalog), catalog, PlainKnowledge(), now=NOW)


@pytest.mark.parametrize("most", [1, 3, 7])
@pytest.mark.parametrize("inner", EARLY + WHOLE)
def test_the_first_rows_are_the_same(
    inner: str, most: int, catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = BEGUN.format(most=most, inner=inner)
    first = run(search, catalog, monkeypatch, large=True)
    whole = run(search, catalog, monkeypatch, large=False)
    assert first.table.to_pylist() == whole.table.to_pylist()
    assert first.diagnostics == whole.diagnostics


@pytest.mark.parametrize("inner", EARLY)
def test_the_first_hours_alone_are_read(
    inner: str, catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch, ends: list[float]
) -> None:
    found = run(BEGUN.format(most=3, inner=inner), catalog, monkeypatch, large=True)
    assert found.table.num_rows == 4
    assert [d.code for d in found.diagnostics] == ["SPL320"]
    assert ends
    assert max(ends) < NOW - 10 * HOUR


@pytest.mark.parametrize("inner", WHOLE[:-2])
def test_what_has_another_order_is_read_as_a_whole(
    inner: str, catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch, ends: list[float]
) -> None:
    run(BEGUN.format(most=3, inner=inner), catalog, monkeypatch, large=True)
    assert not ends


def test_all_is_read_where_there_are_few(
    catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = BEGUN.format(most=150, inner=EARLY[0])
    found = run(search, catalog, monkeypatch, large=True)
    assert (
        found.table.to_pylist() == run(search, catalog, monkeypatch, large=False).table.to_pylist()
    )
