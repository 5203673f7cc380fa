"""What proves the rows of a grouping, asked of the rows left: the same as kept with all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from escudo.core.timerange import TimeRange
from escudo.engines.duckdb import DuckDBEngine
from escudo.engines.execute import run_search
from escudo.spl import Scan
from tests.conformance.cases import Case, all_cases
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.conformance.engines import make_world
from tests.shared_engine import engine_over

PARTS = 2


class Asked:
    """Whether the engine is to read events again; how often that was done."""

    late = False
    times = 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()

    def proves_late(_engine: DuckDBEngine, _scans: Sequence[Scan]) -> bool:
        asked.times += asked.late
        return asked.late

    monkeypatch.setattr(DuckDBEngine, "proves_late", proves_late)
    return asked


SEARCHES = (
    "index=main | stats count BY a | where count > 2",
    "index=main | stats count BY a, b | where count > 1 | stats sum(count) AS n BY a | where n > 1",
    "index=main | stats values(b) AS b max(n) AS n BY a | search b=y n>4",
    "index=main | stats count BY m | where count > 1",
    "index=main | stats count BY _time, a | head 3",
    "index=main | bin _time span=2s | stats count BY _time | where count = 2 | eval x=count",
    "index=main | stats count BY a | eventstats max(count) AS most | where count = most",
    'index=main | stats count BY a | where count > 1 | eval p=split(a, "") | mvexpand p',
    "index=main | stats count BY a | where count > 1 | append [search index=main | head 2]",
    "index=main | stats count BY n | where count = 1 | sort - n",
    'index=main | eval k=replace(a, "[xy]", "q") | stats count BY k | where count > 3',
    "index=main | eval k=if(n > 3, null(), a) | stats count BY k | where count > 0",
    "index=main | eval k=n / 3 | stats count BY k | where count > 0",
)
EMPTY = (
    "index=main | stats count BY gone | where count > 1",
    "index=main | stats count BY a | where count > 99",
)


@pytest.mark.parametrize("search", SEARCHES + EMPTY)
def test_the_proof_is_the_same(search: str, asked: Asked, tmp_path: Path) -> None:
    catalog = RowsCatalog(tmp_path)
    catalog.events(
        [
            {
                "_time": NOW - number,
                "a": "xyzw"[number % 3] if number != 5 else None,
                "b": "xy"[number % 2],
                "n": number,
                "m": ["p", "q", "r"][number % 3 :],
            }
            for number in range(9)
        ]
    )
    engine = engine_over(catalog)

    def run(*, late: bool) -> pa.Table:
        asked.late = late
        return run_search(search, engine, catalog, PlainKnowledge(), now=NOW, provenance=True).table

    rows = run(late=True)
    assert asked.times > 0
    assert rows.to_pylist() == run(late=False).to_pylist()
    assert bool(rows.num_rows) is (search in SEARCHES)
    assert all(rows["_event_id"].to_pylist())


def _cases() -> Iterator[Case]:
    for case in all_cases():
        if case.spl is not None and case.error is None and case.zone == "UTC":
            yield case


def _differs(case: Case, folder: Path, asked: Asked) -> bool:
    assert case.spl is not None
    catalog, known = make_world(case, folder, "columns")
    engine = engine_over(catalog)
    found: list[object] = []
    for late in (True, False):
        asked.late = late
        result = run_search(
            case.spl,
            engine,
            catalog,
            known,
            now=NOW,
            within=TimeRange(*case.within),
            provenance=True,
        )
        found.append(str(result.table.to_pylist()))
    return found[0] != found[1]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_case_has_the_same_proof(part: int, asked: Asked, tmp_path: Path) -> None:
    wrong = []
    for number, case in enumerate([*_cases()][part::PARTS]):
        folder = tmp_path / str(number)
        folder.mkdir()
        if _differs(case, folder, asked):
            wrong.append(case.id)
    assert wrong == []
    assert asked.times > 10
