"""Which events are near a hit, and that they are read by few queries, from no file in vain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import HuntPlan, hunt_logs
from escudo.actions.raw_events import Event
from escudo.actions.timeline import Hit, build_timeline
from escudo.actions.workspace import Workspace
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.lake import Lake
from tests.lake.logs import sysmon

OWN = content.load()
NOON = 1_700_049_600.0
"""2023-11-15T12:00:00Z"""
HOUR, DAY = 3_600.0, 86_400.0
SEARCH = (
    '| tstats count from datamodel=Endpoint.Processes where Processes.process="*echo * 5"'
    " by _time span=1s Processes.dest Processes.user Processes.process"
    " | rename Processes.* as *"
)


@pytest.fixture
def lake() -> Iterator[Lake]:
    with Lake.create_temporary() as lake:
        yield lake


def hunt(starts: Sequence[float], lake: Lake, folder: Path) -> Workspace:
    """A lake of pc1 with a hit in the sixth of ten seconds from each of the starts."""
    parts = [
        sysmon(10, start=start).replace("{0-", f"{{{number}-")
        for number, start in enumerate(starts)
    ]
    log = folder / "day.xml"
    log.write_text("".join(parts))
    wmi = OWN.detection("Process Execution via WMI")
    detection = replace(wmi, id="sixth", name="Sixth", search=SEARCH, drilldowns=())
    workspace = Workspace(
        content=OWN, lake=lake, engine_of=DuckDBEngines(), now=starts[-1] + 10 * DAY
    )
    done = hunt_logs([log], workspace, HuntPlan(detections=(detection,)))
    assert sum(m.rows.num_rows for m, _ in done.hunt.hits()) == len(starts)
    return workspace


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The files of each query that reads raw events, once it has run."""
    files: list[list[str]] = []
    run = DuckDBEngine.run

    def note(self: DuckDBEngine, query: Any, scans: Any, tables: Any) -> Any:
        files.append([f for s in scans for f in self.catalog.files(s.schema.table, s.within)])
        return run(self, query, scans, tables)

    monkeypatch.setattr(DuckDBEngine, "run", note)
    return files


def offsets(entries: Sequence[Hit | Event], starts: Sequence[float]) -> list[tuple[int, float]]:
    """The events: after which start, how many seconds."""
    return [
        max((n, e.time - start) for n, start in enumerate(starts) if start <= e.time)
        for e in entries
        if isinstance(e, Event)
    ]


def test_windows_of_one_file_are_read_together(
    lake: Lake, tmp_path: Path, scanned: list[list[str]]
) -> None:
    starts = [NOON + n * HOUR for n in range(10)]
    workspace = hunt(starts, lake, tmp_path)
    scanned.clear()
    entries = list(build_timeline(workspace, around=1.0))
    assert offsets(entries, starts) == [(n, s) for n in range(10) for s in (4.0, 5.0, 6.0)]
    # The hits; the hosts of the events; how many there are near the hits; these.
    assert len(scanned) == 4


@pytest.mark.slow
def test_a_day_without_a_hit_is_not_read(
    lake: Lake, tmp_path: Path, scanned: list[list[str]]
) -> None:
    """A lake has files for each day: those between two hits hold nothing that is asked for."""
    starts = [NOON, NOON + 2 * DAY]
    workspace = hunt(starts, lake, tmp_path)
    quiet = tmp_path / "quiet.xml"
    quiet.write_text(sysmon(10, tag="quiet", start=NOON + DAY))
    hunt_logs([quiet], workspace, HuntPlan(detections=()))
    scanned.clear()
    entries = list(build_timeline(workspace, around=2.0))
    assert offsets(entries, starts) == [(n, s) for n in (0, 1) for s in (3.0, 4.0, 5.0, 6.0, 7.0)]
    reads = [len(files) for files in scanned[2:]]
    assert reads == [1, 1, 1, 1]


@pytest.mark.slow
def test_windows_that_overlap_give_an_event_once(lake: Lake, tmp_path: Path) -> None:
    starts = [NOON, NOON + 12]
    workspace = hunt(starts, lake, tmp_path)
    entries = list(build_timeline(workspace, around=10.0))
    times = [e.time for e in entries]
    assert times == sorted(times)
    assert offsets(entries, starts) == [(n, float(s)) for n in (0, 1) for s in range(10)]
