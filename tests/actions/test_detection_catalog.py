"""Whether the data of detections is here, and what of ATT&CK they cover."""

from __future__ import annotations

from dataclasses import replace

from escudo import content
from escudo.actions.detection_catalog import (
    CatalogRow,
    Coverage,
    DataState,
    HeldLogs,
    build_matrix,
    find_held_logs,
    rate_row,
    read_catalog,
)
from escudo.actions.detection_switches import Switch, apply_switches
from escudo.actions.engines import make_engines
from escudo.content import Content
from escudo.content.elements.common import Origin, Schedule
from escudo.content.elements.data_source import DataSource
from escudo.lake import Lake
from escudo.schedule.claims import Outcome
from escudo.schedule.database import State
from escudo.schedule.tables import DONE, SEARCHES, WINDOWS

NAME = "Process Execution via WMI"
NOTHING = HeldLogs(frozenset(), frozenset())
NOW = 1_700_000_000.0


def _read(loaded: Content, held: HeldLogs, state: State | None = None) -> CatalogRow:
    with Lake.create_temporary() as lake, State.open("sqlite://") as empty:
        engine = make_engines("duckdb")(lake.snapshot())
        rows = read_catalog(
            loaded, lake.snapshot(), engine, state=state or empty, held=held, now=NOW
        )
    return next(row for row in rows if row.detection.name == NAME)


def _source(name: str, source: str, sourcetype: str) -> DataSource:
    return DataSource(
        name=name,
        id="",
        description="",
        source=source,
        sourcetype=sourcetype,
        separator="",
        fields=(),
        add_ons=(),
        example_log="",
        logsource={},
        origin=Origin("a.yml", "builtin"),
    )


def test_an_empty_lake_misses_the_dataset() -> None:
    row = _read(content.load(), NOTHING)
    assert row.data is DataState.MISSING
    assert [n.state for n in row.needs if n.name == "Endpoint.Processes"] == [DataState.MISSING]


def test_a_filled_dataset_is_enough_where_sources_are_not_known() -> None:
    row = _read(content.load(), HeldLogs(frozenset(), frozenset({"endpoint_processes"})))
    assert row.data is DataState.HERE
    assert {n.state for n in row.needs if n.name != "Endpoint.Processes"} == {DataState.UNKNOWN}


def test_sources_that_the_content_describes_are_looked_for_in_any_spelling() -> None:
    sysmon = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
    loaded = replace(
        content.load(),
        data_sources=(_source("Sysmon EventID 1", sysmon, "XmlWinEventLog"),),
    )
    held = HeldLogs(
        frozenset({"wineventlog:microsoft-windows-sysmon/operational"}),
        frozenset({"endpoint_processes"}),
    )
    states = {n.name: n.state for n in _read(loaded, held).needs}
    assert states["Sysmon EventID 1"] is DataState.HERE
    states = {n.name: n.state for n in _read(loaded, replace(held, origins=frozenset())).needs}
    assert states["Sysmon EventID 1"] is DataState.MISSING


def test_a_lake_without_events_holds_nothing() -> None:
    with Lake.create_temporary() as lake:
        engine = make_engines("duckdb")(lake.snapshot())
        assert find_held_logs(lake.snapshot(), engine) == NOTHING


def test_the_last_window_that_ran_and_the_mean_of_all_are_told() -> None:
    loaded = content.load()
    wmi = loaded.detection(NAME)
    with State.open("sqlite://") as state:
        with state.begin() as connection:
            usual = {"kind": "TTP", "cron": "", "earliest": "", "latest": "", "first_seen": 0.0}
            connection.execute(
                SEARCHES.insert().values(
                    id=1, identity=wmi.id, version="1", name=NAME, planned_to=0.0, **usual
                )
            )
            for number, (ran, seconds) in enumerate(((100.0, 1.0), (200.0, 3.0)), 1):
                counts = dict.fromkeys(
                    ("rows", "risk_events", "findings", "throttled", "suppressed", "stale"), 0
                )
                connection.execute(
                    WINDOWS.insert().values(
                        id=number, search_id=1, due=ran, stage=1, state=DONE, reason="",
                        runs=1, ran=ran, seconds=seconds, **counts,
                    )
                )  # fmt: skip
        last = _read(loaded, NOTHING, state).last
    assert (last.ran, last.seconds, last.cost, last.windows) == (200.0, 3.0, 2.0, 2)
    assert Outcome().seconds == 0.0


def test_techniques_are_covered_by_detections_that_are_on_and_have_their_data() -> None:
    loaded = content.load()
    here = HeldLogs(frozenset(), frozenset({"endpoint_processes"}))
    off = apply_switches(loaded, {loaded.detection(NAME).id: Switch(enabled=False)})
    ratings = [
        rate_row(_read(some, held))
        for some, held in ((loaded, here), (loaded, NOTHING), (off, here))
    ]
    assert ratings == [Coverage.COVERED, Coverage.DATA, Coverage.OFF]
    matrix = build_matrix([_read(loaded, here)])
    cells = {c.technique.id: c for tactic, cells in matrix for c in cells}
    assert (cells["T1047"].coverage, cells["T1047"].covered) == (Coverage.COVERED, 1)
    assert cells["T1059"].coverage is Coverage.NONE
    assert len(cells["T1059"].parts) > 5


def test_a_detection_of_a_part_of_a_technique_covers_the_technique() -> None:
    row = _read(content.load(), HeldLogs(frozenset(), frozenset({"endpoint_processes"})))
    tags = replace(row.detection.tags, mitre_attack_id=("T1059.001",))
    part = replace(row, detection=replace(row.detection, tags=tags))
    cells = {c.technique.id: c for _, cells in build_matrix([part]) for c in cells}
    assert cells["T1059"].coverage is Coverage.COVERED
    assert [c.technique.id for c in cells["T1059"].parts if c.detections] == ["T1059.001"]


def test_a_switch_gives_another_schedule_and_leaves_others_alone() -> None:
    loaded = content.load()
    when = Schedule("*/5 * * * *", "-10m", "now")
    switched = apply_switches(loaded, {loaded.detection(NAME).id: Switch(schedule=when)})
    assert switched.detection(NAME).schedule == when
    assert switched.detection(NAME).enabled
    others = [d for d in switched.detections if d.name != NAME]
    assert others == [d for d in loaded.detections if d.name != NAME]
