"""The queue: each filter lets through what it says, pages are whole, counts are those of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from escudo.actions.engines import DuckDBEngines
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.lake import Lake
from escudo.schedule.database import State
from escudo.triage.changes import Edit, FindingState, Triage
from escudo.triage.queue import SORTS, FindingFilter, FindingQueue, RiskObjectName
from tests.triage.four_findings import HOUR, write_findings


@pytest.fixture(scope="module")
def queue() -> Iterator[FindingQueue]:
    """Four findings; ``b`` is closed and is Ana's."""
    with Lake.create_temporary() as lake, State.open("sqlite://") as state:
        write_findings(lake)
        triage = Triage(state, clock=lambda: 9.0)
        seen = FindingState(status="new", urgency="medium")
        triage.change({"b": seen}, Edit(status="closed", owner="ana"), who="ana")
        snapshot = lake.snapshot()
        yield FindingQueue(DuckDBEngines()(snapshot), snapshot, triage.read_table())


def _names(queue: FindingQueue, **wanted: object) -> str:
    asked = FindingFilter(**{"status": (), **wanted})  # type: ignore[arg-type]
    return "".join(sorted(f.event_hash for f in queue.list_page(asked).findings))


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, "abcd"),
        ({"status": ("new", "pending")}, "acd"),
        ({"status": ("closed",)}, "b"),
        ({"owner": "ana"}, "b"),
        ({"owner": "unassigned"}, "acd"),
        ({"severity": ("high", "critical")}, "ac"),
        ({"urgency": ("high",)}, ""),
        ({"detection": "WMI"}, "ab"),
        ({"story": "Story"}, "ab"),
        ({"technique": "t1059"}, "cd"),
        ({"technique": "T1059.003"}, "d"),
        ({"technique": "T105"}, ""),
        ({"entity": "ws2"}, "bc"),
        ({"entity": "corp\\ANA"}, "ac"),
        ({"text": "POWERSHELL"}, "c"),
        ({"text": "100%_"}, "b"),
        ({"text": "%"}, "b"),
        ({"text": "' or 1=1 --"}, "d"),
        ({"text": "shell title"}, "cd"),
        ({"earliest": 2 * HOUR, "latest": 4 * HOUR}, "bc"),
        ({"made_since": 13 * HOUR}, "cd"),
        ({"hashes": ("a", "z")}, "a"),
        ({"severity": ("high",), "text": "powershell"}, ""),
    ],
)
def test_a_filter_lets_through_what_it_says(
    queue: FindingQueue, wanted: dict[str, object], names: str
) -> None:
    assert _names(queue, **wanted) == names


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("severity", "cabd"),
        ("newest", "dcba"),
        ("oldest", "abcd"),
        ("found", "dcba"),
        ("detection", "dcba"),
        ("status", "cadb"),
        ("owner", "bcad"),
    ],
)
def test_it_is_in_the_order_that_is_asked_for(queue: FindingQueue, sort: str, names: str) -> None:
    assert sort in SORTS
    page = queue.list_page(FindingFilter(status=()), sort=sort)
    assert "".join(f.event_hash for f in page.findings) == names


def test_pages_are_parts_of_the_whole(queue: FindingQueue) -> None:
    wanted = FindingFilter(status=())
    pages = [queue.list_page(wanted, sort="oldest", offset=at, count=3) for at in (0, 3, 6)]
    assert ["".join(f.event_hash for f in page.findings) for page in pages] == ["abc", "d", ""]
    assert [page.total for page in pages] == [4, 4, 4]


def test_a_finding_has_its_row_its_objects_and_its_risk(queue: FindingQueue) -> None:
    (finding,) = queue.list_page(FindingFilter(status=(), hashes=("a",))).findings
    assert finding.time == HOUR
    assert finding.fields == {"dest": "DC01.corp", "user": "CORP\\ana", "process": "cmd /c x"}
    assert finding.objects == (
        RiskObjectName("system", "DC01.corp"),
        RiskObjectName("user", "CORP\\ana"),
    )
    assert finding.score == 80.0
    assert finding.message == "cmd /c x on DC01.corp"


def test_counts_are_those_of_the_pages(queue: FindingQueue) -> None:
    wanted = FindingFilter(status=())
    counts = {(c.severity, c.status): c.findings for c in queue.count(wanted)}
    assert counts == {
        ("high", "new"): 1,
        ("medium", "closed"): 1,
        ("critical", "new"): 1,
        ("low", "new"): 1,
    }
    assert queue.list_detections(wanted) == [("Shell", 2), ("WMI", 2)]
    assert queue.list_times(wanted) == [11 * HOUR, 12 * HOUR, 13 * HOUR, 14 * HOUR]
    ages = queue.count_ages(wanted, now=14.5 * HOUR, limits=[HOUR, 2 * HOUR])
    assert ages == {("low", 0): 1, ("critical", 1): 1, ("medium", 2): 1, ("high", 2): 1}


@pytest.mark.parametrize(
    ("indexes", "total", "scored"),
    [(["notable", "risk"], 4, True), (["nota*"], 4, False), (["win*", "risk"], 0, False)],
)
def test_who_sees_some_indexes_sees_what_is_in_them(
    indexes: list[str], total: int, *, scored: bool
) -> None:
    with Lake.create_temporary() as lake, State.open("sqlite://") as state:
        write_findings(lake)
        snapshot = lake.snapshot()
        engine = DuckDBEngines()(snapshot)
        assert isinstance(engine, DuckDBEngine)
        states = Triage(state, clock=lambda: 0.0).read_table()
        page = FindingQueue(engine.only(indexes), snapshot, states).list_page(FindingFilter())
        assert page.total == total
        assert any(finding.score for finding in page.findings) is scored
