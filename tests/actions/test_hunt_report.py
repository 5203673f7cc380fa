"""What a report of a hunt shows, how it is bounded, and that it goes on without what fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import HuntPlan, LogHunt, hunt_logs
from escudo.actions.hunt_report import (
    FindingPart,
    HuntReport,
    ReportLimits,
    TechniqueCell,
    collect_report,
)
from escudo.actions.hunt_summary import summarize
from escudo.actions.workspace import Workspace
from escudo.content import Detection
from escudo.content.elements.drilldown import Drilldown
from escudo.lake import Lake
from tests.lake.logs import sysmon

OWN = content.load()
WMI = OWN.detection("Process Execution via WMI")
START = 1_700_000_000.0
NOW = START + 100_000
EACH = (
    "| tstats count from datamodel=Endpoint.Processes"
    " by _time span=1s Processes.dest Processes.user Processes.process"
    " | rename Processes.* as *"
)


@dataclass(frozen=True)
class Hunted:
    """A hunt through six processes of pc1, and the lake that it was in."""

    done: LogHunt
    workspace: Workspace

    def report(self, **options: object) -> HuntReport:
        summary = summarize(self.done, self.workspace)
        return collect_report(self.done, summary, self.workspace, made=NOW, **options)  # type: ignore[arg-type]


def detection(name: str, search: str = EACH, *, techniques: Sequence[str] = ()) -> Detection:
    return replace(
        WMI,
        id=name,
        name=name,
        search=search,
        drilldowns=(
            Drilldown(
                name="all of $dest$",
                search='search dest="$dest$" | table dest, process',
                earliest_offset="",
                latest_offset="",
            ),
            Drilldown(name="broken", search="| nosuch", earliest_offset="", latest_offset=""),
        ),
        tags=replace(WMI.tags, mitre_attack_id=tuple(techniques)),
    )


@pytest.fixture
def hunted(tmp_path: Path) -> Iterator[Hunted]:
    log = tmp_path / "day.xml"
    log.write_text(sysmon(6, tag="abc"))
    plan = HuntPlan(
        detections=(
            detection("Each", techniques=("T1059", "T1059.003")),
            detection("Sums", EACH.replace("_time span=1s ", ""), techniques=("T1059.003",)),
        )
    )
    with Lake.create_temporary() as lake:
        workspace = Workspace(content=OWN, lake=lake, engine_of=DuckDBEngines(), now=NOW)
        yield Hunted(hunt_logs([log], workspace, plan), workspace)


def test_a_finding_has_the_evidence_of_its_worst_row(hunted: Hunted) -> None:
    report = hunted.report()
    each = next(p for p in report.detections if p.detection.name == "Each")
    (finding,) = each.findings
    assert each.rows == len(finding.finding.rows) == 6
    assert finding.evidence is not None
    assert finding.evidence.fields["process"] == "cmd.exe /c echo abc 0"
    (event,) = finding.evidence.events
    assert event.time == START
    assert "<Data Name='CommandLine'>cmd.exe /c echo abc 0</Data>" in event.raw
    assert event.source_file.endswith("day.xml")
    context = finding.evidence.context
    assert context is not None
    assert context.trees[0].root.process.name == "explorer.exe"
    rows, broken = context.drilldowns
    assert rows.drilldown.name == "all of pc1"
    assert rows.problem is None
    assert broken.problem is not None
    assert broken.problem.code == "SPL101"


@pytest.mark.slow
def test_what_is_left_out_is_counted(hunted: Hunted) -> None:
    limits = ReportLimits(detections=1, rows=2, evidence=1, contexts=0, objects=0, events=1)
    report = hunted.report(limits=limits)
    assert (len(report.detections), report.detections_left_out) == (1, 1)
    (part,) = report.detections
    (finding,) = part.findings
    assert len(finding.rows) == 2
    assert len(finding.finding.rows) == 2 + finding.left_out
    assert (report.findings, report.evidence, report.contexts) == (2, 1, 0)
    assert (report.hosts, report.hosts_left_out) == ((), 1)
    assert (report.users, report.users_left_out) == ((), 1)


@pytest.mark.slow
def test_findings_past_the_most_of_a_detection_are_counted(hunted: Hunted) -> None:
    report = hunted.report(limits=ReportLimits(findings=0))
    assert [(part.findings, part.left_out) for part in report.detections] == [((), 1), ((), 1)]


@pytest.mark.slow
def test_after_the_time_is_out_nothing_more_is_opened(hunted: Hunted) -> None:
    report = hunted.report(limits=ReportLimits(seconds=-1.0))
    assert (report.evidence, report.contexts) == (2, 0)


@pytest.mark.slow
def test_after_a_stop_the_report_is_made_of_what_is_there(hunted: Hunted) -> None:
    def stop_after_one(parts: Sequence[FindingPart]) -> Iterable[FindingPart]:
        yield parts[0]
        raise KeyboardInterrupt

    report = hunted.report(follow=stop_after_one)
    assert (report.findings, report.contexts) == (2, 1)
    assert report.stopped is not None


@pytest.mark.slow
def test_after_a_stopped_hunt_nothing_is_opened(hunted: Hunted) -> None:
    hunt = replace(hunted.done.hunt, stopped=KeyboardInterrupt())
    stopped = replace(hunted, done=replace(hunted.done, hunt=hunt)).report()
    assert (stopped.evidence, stopped.contexts) == (2, 0)


@pytest.mark.slow
def test_a_row_of_a_technique_and_its_sub_technique_counts_once(hunted: Hunted) -> None:
    (column,) = hunted.report().matrix
    assert column.tactic.name == "Execution"
    rows = len(summarize(hunted.done, hunted.workspace).rows)
    assert column.cells == (
        TechniqueCell(
            "T1059",
            "Command and Scripting Interpreter",
            rows,
            "medium",
            (TechniqueCell("T1059.003", "Windows Command Shell", rows, "medium"),),
        ),
    )


@pytest.mark.slow
def test_hosts_and_users_have_their_risk_and_detections(hunted: Hunted) -> None:
    report = hunted.report()
    (host,) = report.hosts
    (user,) = report.users
    assert (host.name, user.name) == ("pc1", "PC1\\ann")
    assert host.risk is not None
    assert host.risk.score == sum(event.score for event in host.risk.events)
    assert host.first == START
    each = next(d for d in host.detections if d.name == "Each")
    assert (each.rows, each.first) == (6, START)
    part = next(p for p in report.detections if p.detection.name == "Each")
    assert each.finding == part.findings[0].number
    assert {d.name for d in host.detections} == {"Each", "Sums"}
    assert host.rows == sum(d.rows for d in host.detections)
