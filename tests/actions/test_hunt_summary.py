"""A hunt's summary: what was found, the worst first, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import HuntPlan, hunt_logs
from escudo.actions.hunt_summary import HuntSummary, Span, summarize
from escudo.actions.match_rows import iterate_match
from escudo.actions.workspace import Workspace
from escudo.content import Detection
from escudo.content.elements.common import Origin
from escudo.content.elements.data_source import DataSource
from escudo.core.timerange import TimeRange
from escudo.lake import Lake
from tests.lake.logs import sysmon

OWN = content.load()
WMI = OWN.detection("Process Execution via WMI")
START = 1_700_000_000.0
NOW = START + 100_000
PROCESSES = "| tstats count from datamodel=Endpoint.Processes by {} | rename Processes.* as *"
EACH = PROCESSES.format("_time span=1s Processes.dest Processes.user Processes.process")


def source(name: str, where: str, kind: str) -> DataSource:
    return DataSource(
        name=name,
        id="",
        description="",
        source=where,
        sourcetype=kind,
        separator="",
        fields=(),
        add_ons=(),
        example_log="",
        logsource={},
        origin=Origin("x.yml", "x"),
    )


SOURCES = (
    source("AWS CloudTrail", "aws_cloudtrail", "aws:cloudtrail"),
    source("Sysmon", "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational", "xmlwineventlog"),
)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Lake.create_temporary() as lake:
        yield Workspace(
            content=replace(OWN, data_sources=SOURCES),
            lake=lake,
            engine_of=DuckDBEngines(),
            now=NOW,
        )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "day.xml"
    path.write_text(sysmon(3) + sysmon(3, code=11, start=START + 60))
    return path


def detection(name: str, search: str, score: int = 50, **changes: Any) -> Detection:
    assert WMI.risk is not None
    objects = tuple(replace(o, score=score) for o in WMI.risk.risk_objects)
    risk = replace(WMI.risk, risk_objects=objects, message=f"$dest$ of {name}")
    return replace(WMI, id=name, name=name, search=search, risk=risk, **changes)


def hunt(workspace: Workspace, log: Path, *detections: Detection) -> HuntSummary:
    done = hunt_logs([log], workspace, HuntPlan(detections=detections))
    return summarize(done, workspace)


def test_what_was_hunted_and_when(workspace: Workspace, log: Path) -> None:
    shown = hunt(workspace, log, detection("each", EACH))
    assert [(e.source, e.events) for e in shown.events] == [
        ("XmlWinEventLog:Microsoft-Windows-Sysmon/Operational", 6)
    ]
    assert shown.data == Span(START, START + 62)
    assert shown.hits == Span(START, START + 2)
    assert (shown.detections, shown.detections_that_found) == (1, 1)
    assert not shown.stopped


@pytest.mark.slow
def test_a_window_bounds_the_events_that_are_counted(workspace: Workspace, log: Path) -> None:
    narrow = replace(workspace, within=TimeRange(START + 1, START + 61))
    shown = hunt(narrow, log, detection("each", EACH))
    assert [e.events for e in shown.events] == [3]
    assert shown.data == Span(START + 1, START + 60)


@pytest.mark.slow
def test_a_row_has_its_host_user_and_command(workspace: Workspace, log: Path) -> None:
    first = hunt(workspace, log, detection("each", EACH)).rows[0]
    assert (first.host, first.user) == ("pc1", "PC1\\ann")
    assert first.command == "cmd.exe /c echo  0"
    assert first.message == "pc1 of each"
    assert first.techniques == ("T1047",)
    assert first.tactics == ("Execution",)
    assert [Path(f).name for f in first.source_files] == ["day.xml"]
    assert len(first.event_ids) == 1


@pytest.mark.slow
def test_rows_name_host_and_user_where_the_detection_scores_nobody(
    workspace: Workspace, log: Path
) -> None:
    unscored = replace(detection("each", EACH), risk=None)
    done = hunt_logs([log], workspace, HuntPlan(detections=(unscored,)))
    ((match, _),) = done.hunt.hits()
    assert {(r["host"], r["user"]) for r in iterate_match(match)} == {("pc1", "PC1\\ann")}


@pytest.mark.slow
def test_the_worst_comes_first_and_one_detection_pushes_none_out(
    workspace: Workspace, log: Path
) -> None:
    by_host = "| eval dest=process"  # each row another host
    shown = hunt(
        workspace,
        log,
        detection("bad", f"{EACH} {by_host}", score=79),
        detection("less bad", EACH, score=61),
        detection("mild", EACH, score=21),
    )
    assert [r.detection for r in shown.rows] == ["bad"] * 3 + ["less bad"] * 3 + ["mild"] * 3
    assert [(f.worst.detection, len(f.rows)) for f in shown.findings] == [
        ("bad", 1),
        ("less bad", 3),
        ("bad", 1),
        ("bad", 1),
        ("mild", 3),
    ]
    assert [r.time for r in shown.findings[1].rows] == [START, START + 1, START + 2]
    assert [(h.host[:7], dict(h.severities)) for h in shown.hosts] == [
        ("pc1", {"high": 3, "low": 3}),
        *[("cmd.exe", {"high": 1})] * 3,
    ]


@pytest.mark.slow
def test_risk_of_an_object_over_time(workspace: Workspace, log: Path) -> None:
    shown = hunt(workspace, log, detection("each", EACH, score=50))
    objects = {(o.name, o.type): o for o in shown.risk}
    host = objects["pc1", "system"]
    assert (host.score, host.sources) == (150, ("each",))
    assert [(e.time, e.score) for e in host.events] == [(START + n, 50) for n in range(3)]
    assert ("PC1\\ann", "user") in objects


@pytest.mark.slow
def test_techniques_with_the_detections_that_saw_them(workspace: Workspace, log: Path) -> None:
    (seen,) = hunt(workspace, log, detection("each", EACH)).techniques
    assert (seen.technique.id, seen.technique.name) == (
        "T1047",
        "Windows Management Instrumentation",
    )
    assert dict(seen.detections) == {"each": 3}


CLOUD = 'search sourcetype="aws:cloudtrail" eventName=PutObject'
WEB = "| tstats count from datamodel=Web.Web by Web.src"


@pytest.mark.slow
@pytest.mark.parametrize("beside", [(), ("a", "b", "c")], ids=["few", "screened"])
def test_a_source_that_is_not_there_is_missed_by_its_detections(
    beside: tuple[str, ...], workspace: Workspace, log: Path
) -> None:
    others = [detection(name, EACH) for name in beside]
    event = ("AWS CloudTrail PutObject",)
    shown = hunt(
        workspace,
        log,
        detection("cloud", CLOUD, data_source=event),
        detection("web", WEB, data_source=()),
        detection("quiet", f"{EACH} | search process=none", data_source=("Sysmon",)),
        *others,
    )
    assert shown.gaps.detections == ("cloud", "web")
    assert {m.source: m.detections for m in shown.gaps.sources} == {
        "aws:cloudtrail": ("cloud",),
        "Web.Web": ("web",),
    }


@pytest.mark.slow
def test_a_source_that_the_content_does_not_know_is_not_missed(
    workspace: Workspace, log: Path
) -> None:
    unknown = detection("cloud", CLOUD, data_source=("Something Else",))
    assert hunt(workspace, log, unknown).gaps.detections == ()


@pytest.mark.slow
def test_correlations_miss_no_log(workspace: Workspace, log: Path) -> None:
    search = "| tstats count from datamodel=Risk.All_Risk by All_Risk.risk_object"
    shown = hunt(workspace, log, detection("sums", search, type="Correlation"))
    assert shown.gaps.detections == ()


@pytest.mark.slow
def test_a_search_that_cannot_run_is_told(workspace: Workspace, log: Path) -> None:
    shown = hunt(workspace, log, detection("wrong", "search * | nosuchcommand"))
    assert [(p.name, p.code) for p in shown.failed] == [("wrong", "SPL101")]


@pytest.mark.slow
def test_what_could_not_be_read_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(sysmon(2) + "<Event><System></Event>\n" + sysmon(1, tag="more"))
    shown = hunt(workspace, path, detection("each", EACH))
    assert shown.unread.rejected == 1
