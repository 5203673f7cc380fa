"""The page of *Process Execution via WMI* in Splunk's catalogue, line by line: each line has a test
with its name that shows what the line says on what a hunt finds, and leaves in the lake.

It is run with the detection that comes with Escudo, and with upstream's own YAML where it is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from escudo import content as contents
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import LogHunt, hunt_logs, plan_hunt
from escudo.actions.run_tests import TestOptions
from escudo.actions.workspace import Workspace
from escudo.content import Content, Detection
from escudo.content.loading import BUILTIN_FOLDER
from escudo.engines.execute import run_search
from escudo.findings.drilldown import fill_drilldowns, find_drilldown_clock, run_drilldown
from escudo.lake import Lake
from tests.detection_tests import run_all_tests
from tests.shared_data import SHARED

pytestmark = pytest.mark.slow

NAME = "Process Execution via WMI"
NOW = 1_774_000_000.0
EVENTS = BUILTIN_FOLDER / "tests" / "process_execution_via_wmi"
FALCON = {
    "event_simpleName": "ProcessRollup2",
    "event_platform": "Win",
    "aid": "5f0c",
    "ComputerName": "lap-09",
    "timestamp": "1712650800000",
    "ImageFileName": r"\Device\HarddiskVolume2\Windows\System32\cmd.exe",
    "CommandLine": "cmd.exe /c ver",
    "ParentBaseFileName": "WmiPrvSE.exe",
    "RawProcessId": "512",
    "ParentProcessId": "77",
    "TargetProcessId": "9001",
    "UserName": "k.hale",
    "UserSid": "S-1-5-21-1",
}
HOSTS = {"wks-031.kestrel.example", "srv-file01.kestrel.example", "lap-09"}
USERS = {"KESTREL\\d.moreau", "d.moreau", "k.hale"}
OFFSETS = [("$info_min_time$", "$info_max_time$")] * 2


@dataclass(frozen=True)
class Hunted:
    """A hunt through events of the three data sources, by the detection alone."""

    content: Content
    workspace: Workspace
    done: LogHunt

    @property
    def detection(self) -> Detection:
        return self.content.detection(NAME)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.done.hunt.matches[0].rows.to_pylist()
        return rows

    def search(self, text: str) -> list[dict[str, Any]]:
        """The rows of a search over the lake, what is null left out."""
        snapshot = self.workspace.lake.snapshot()
        engine = self.workspace.engine_of(snapshot)
        found = run_search(text, engine, snapshot, self.workspace.knowledge, now=NOW).table
        return [{k: v for k, v in r.items() if v is not None} for r in found.to_pylist()]

    @cached_property
    def risk(self) -> list[dict[str, Any]]:
        return self.search("search index=risk")

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        return self.search("search index=notable")

    @cached_property
    def drilldowns(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The name and the rows of each drilldown of the later row of the workstation, as an
        analyst opens them two hours after."""
        match = self.done.hunt.matches[0]
        row = next(i for i, r in enumerate(self.rows) if r["process_id"] == "6188")
        snapshot = self.workspace.lake.snapshot()
        engine = self.workspace.engine_of(snapshot)
        now = find_drilldown_clock(match, row) + 7200
        return [
            (
                filled.name,
                run_drilldown(
                    filled, engine, snapshot, self.workspace.knowledge, now=now
                ).table.to_pylist(),
            )
            for filled in fill_drilldowns(match, row)
        ]


def _upstream() -> Path | None:
    relative = "security_content/detections/endpoint/process_execution_via_wmi.yml"
    return SHARED / relative if SHARED is not None and (SHARED / relative).exists() else None


needs_upstream = pytest.mark.skipif(_upstream() is None, reason="upstream's content is not here")


@pytest.fixture(scope="module", params=["own", pytest.param("upstream", marks=needs_upstream)])
def page(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hunted]:
    upstream = _upstream() if request.param == "upstream" else None
    content = contents.load([upstream] if upstream is not None else [])
    falcon = tmp_path_factory.mktemp("falcon") / "falcon.json"
    falcon.write_text(json.dumps(FALCON) + "\n", "utf-8")
    with Lake.create_temporary() as lake:
        workspace = Workspace(content=content, lake=lake, engine_of=DuckDBEngines(), now=NOW)
        plan = plan_hunt(content, names=[NAME])
        logs = [EVENTS / "positive.xml", EVENTS / "negative.xml", falcon]
        yield Hunted(content, workspace, hunt_logs(logs, workspace, plan))


def test_name(page: Hunted) -> None:
    """Its saved search is named after it, and so is what it finds."""
    saved = "ESCU - Process Execution via WMI - Rule"
    assert {e["search_name"] for e in page.risk + page.findings} == {
        saved.replace("ESCU", page.detection.label)
    }
    assert {f["rule_title"] for f in page.findings} == {NAME}


def test_id(page: Hunted) -> None:
    assert UUID(page.detection.id) == UUID("24869767-8579-485d-9a4f-d9ddfd8f0cac")
    assert page.content.detection("24869767-8579-485D-9A4F-D9DDFD8F0CAC") == page.detection


def test_version(page: Hunted) -> None:
    """Another version of the same search is another run: its findings name it."""
    assert page.detection.version == 7
    assert all("process_execution_via_wmi" in f["orig_sid"] for f in page.findings)


def test_date(page: Hunted) -> None:
    assert str(page.detection.date) == "2024-09-30"


def test_author(page: Hunted) -> None:
    assert page.detection.author == "Rico Valdez, Michael Haag, Splunk"


def test_status_production(page: Hunted) -> None:
    """It runs without being asked for by its status."""
    assert page.detection.status == "production"
    assert page.detection in plan_hunt(page.content).detections


def test_type_ttp(page: Hunted) -> None:
    """A row brings risk for each object, and a finding."""
    assert page.detection.type == "TTP"
    assert (len(page.rows), len(page.risk), len(page.findings)) == (4, 8, 4)
    schedule = page.content.deployments["TTP"].schedule
    assert (schedule.cron, schedule.earliest, schedule.latest) == (
        "0 * * * *",
        "-70m@m",
        "-10m@m",
    )


def test_description(page: Hunted) -> None:
    assert "WmiPrvSE.exe" in page.detection.description
    assert {f["rule_description"] for f in page.findings} == {page.detection.description}
    assert {e["savedsearch_description"] for e in page.risk} == {page.detection.description}


@pytest.mark.parametrize(
    ("source", "hosts"),
    [
        ("Sysmon EventID 1", {"wks-031.kestrel.example"}),
        ("Windows Event Log Security 4688", {"srv-file01.kestrel.example"}),
        ("CrowdStrike ProcessRollup2", {"lap-09"}),
    ],
)
def test_data_source(source: str, hosts: set[str], page: Hunted) -> None:
    """The events of each of the three are found."""
    assert source in page.detection.data_source
    assert len(page.detection.data_source) == 3
    assert hosts <= {row["dest"] for row in page.rows}
    assert all(source in e["annotations.data_source"] for e in page.risk)


def test_search(page: Hunted) -> None:
    """Each process below WmiPrvSE.exe once, by the seven fields; dismhost.exe is left out."""
    assert page.done.hunt.diagnostics == []
    by = {"dest", "user", "parent_process", "process_name", "process", "process_id"}
    by |= {"parent_process_id", "count", "firstTime", "lastTime"}
    assert all(row.keys() == by for row in page.rows)
    assert {row["dest"] for row in page.rows} == HOSTS
    assert sorted(r["process_name"] for r in page.rows) == [
        "cmd.exe",
        "cmd.exe",
        "powershell.exe",
        "whoami.exe",
    ]
    below = page.search(
        "| tstats count from datamodel=Endpoint.Processes"
        ' where Processes.parent_process_name=WmiPrvSE.exe Processes.process="*dismhost.exe*"'
    )
    assert below[0]["count"] > 0


def test_search_drop_dm_object_name(page: Hunted) -> None:
    assert not any("." in name for row in page.rows for name in row)


def test_search_security_content_ctime(page: Hunted) -> None:
    """Both times are text of the form that the macro gives them."""
    shell = next(r for r in page.rows if r["process_id"] == "6120")
    assert shell["firstTime"] == shell["lastTime"] == "2024-04-09T08:15:02"


def test_search_filter_macro(page: Hunted, tmp_path: Path) -> None:
    """What the macro at its end leaves out is not found; upstream's search stays as it is."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "wmi.yml").write_text(f'change: {NAME}\nfilter: search NOT dest="lap-09"\n', "utf-8")
    origin = Path(page.detection.origin.file)
    paths = [] if page.detection.origin.layer == "builtin" else [origin]
    filtered = contents.load(paths, overlay=overlay)
    assert filtered.diagnostics == page.content.diagnostics
    snapshot = page.workspace.lake.snapshot()
    rows = run_search(
        filtered.detection(NAME).search,
        page.workspace.engine_of(snapshot),
        snapshot,
        filtered.knowledge,
        now=NOW,
    ).table
    assert set(rows["dest"].to_pylist()) == HOSTS - {"lap-09"}


def test_how_to_implement(page: Hunted) -> None:
    """Process GUID, names, parents and complete command lines are in the data model."""
    (told,) = page.search(
        "| tstats dc(Processes.process_guid) as guids dc(Processes.process) as lines count"
        ' from datamodel=Endpoint.Processes where Processes.dest="wks-031.kestrel.example"'
        " Processes.parent_process_name=WmiPrvSE.exe Processes.process_name=*"
    )
    assert told["guids"] == told["lines"] == told["count"] >= 2
    assert "process GUID" in page.detection.how_to_implement


def test_known_false_positives(page: Hunted) -> None:
    assert page.detection.known_false_positives.casefold().count("administrators") == 1


def test_references(page: Hunted) -> None:
    """The page lists none."""
    assert page.detection.references == ()


def test_drilldown_searches(page: Hunted) -> None:
    written = [(d.earliest_offset, d.latest_offset) for d in page.detection.drilldowns]
    assert written == OFFSETS
    filled = json.loads(page.findings[0]["drilldown_searches"])
    assert [(d["earliest"], d["latest"]) for d in filled] == [("0.000", "+Infinity")] * 2
    assert "$" not in "".join(d["name"] for d in filled)


def test_drilldown_view_the_detection_results(page: Hunted) -> None:
    """It gives the rows of the host and the user, and no other."""
    name, rows = page.drilldowns[0]
    assert name.startswith("View the detection results for ")
    assert "wks-031.kestrel.example" in name
    assert "KESTREL\\d.moreau" in name
    assert {(r["dest"], r["user"]) for r in rows} == {
        ("wks-031.kestrel.example", "KESTREL\\d.moreau")
    }
    assert sorted(r["process_name"] for r in rows) == ["cmd.exe", "powershell.exe"]


def test_drilldown_view_risk_events_for_the_last_7_days(page: Hunted) -> None:
    """It counts the risk events of both objects, with their messages, stories and tactics."""
    name, rows = page.drilldowns[1]
    assert name.startswith("View risk events for the last 7 days for ")
    assert "wks-031.kestrel.example" in name
    told = {r["normalized_risk_object"]: r for r in rows}
    assert told.keys() == {"wks-031.kestrel.example", "kestrel\\d.moreau"}
    for row in told.values():
        assert row["count"] == 2
        assert "T1047" in row["Annotations"]
        assert row["Analytic Stories"] in ("Suspicious WMI Use", ["Suspicious WMI Use"])
        assert row["ATT&CK Tactics"] in ("execution", ["execution"])
        messages = row["Risk Message"]
        message = messages if isinstance(messages, str) else messages[0]
        assert message.endswith("detected on host - wks-031.kestrel.example")


def test_tags_analytic_story(page: Hunted) -> None:
    assert page.detection.tags.analytic_story == ("Suspicious WMI Use",)
    stories = [e["analyticstories"] for e in page.risk + page.findings]
    assert all(s in ("Suspicious WMI Use", ["Suspicious WMI Use"]) for s in stories)


def test_tags_asset_type(page: Hunted) -> None:
    assert page.detection.tags.asset_type == "Endpoint"


def test_tags_confidence_and_impact(page: Hunted) -> None:
    """The score is their product in hundredths: 70 * 70 / 100."""
    tags = page.detection.tags
    assert (tags.confidence, tags.impact) == (70, 70)
    assert tags.confidence is not None
    assert tags.impact is not None
    assert tags.confidence * tags.impact // 100 == tags.risk_score


def test_tags_message(page: Hunted) -> None:
    """With the host's name in place of ``$dest$``."""
    text = "A remote instance execution of wmic.exe by WmiPrvSE.exe detected on host - {}"
    assert page.detection.tags.message == text.format("$dest$")
    assert {e["risk_message"] for e in page.risk} == {text.format(host) for host in HOSTS}


def test_tags_mitre_attack_id(page: Hunted) -> None:
    """T1047, its name and its tactic."""
    assert page.detection.tags.mitre_attack_id == ("T1047",)
    prefix = "annotations.mitre_attack.mitre"
    for event in page.risk + page.findings:
        told = [event[f"{prefix}_{name}"] for name in ("technique_id", "technique", "tactic")]
        flat = [v[0] if isinstance(v, list) else v for v in told]
        assert flat == ["T1047", "Windows Management Instrumentation", "execution"]


def test_tags_observable_dest_is_a_victim(page: Hunted) -> None:
    """A hostname is a system that gains risk."""
    held = {e["risk_object"] for e in page.risk if e["risk_object_type"] == "system"}
    assert held == HOSTS


def test_tags_observable_user_is_a_victim(page: Hunted) -> None:
    held = {e["risk_object"] for e in page.risk if e["risk_object_type"] == "user"}
    assert held == USERS
    assert not any("threat_object" in e for e in page.risk)


def test_tags_product(page: Hunted) -> None:
    products = ("Splunk Enterprise", "Splunk Enterprise Security", "Splunk Cloud")
    assert page.detection.tags.product == products


def test_tags_required_fields(page: Hunted) -> None:
    """Each is a field of the data model, and filled in every event that is found."""
    required = page.detection.tags.required_fields
    assert required == (
        "_time",
        "Processes.process",
        "Processes.parent_process_name",
        "Processes.user",
        "Processes.dest",
        "Processes.process_name",
    )
    filled = " ".join(f"{name}=*" for name in required if name != "_time")
    (told,) = page.search(
        "| tstats count from datamodel=Endpoint.Processes"
        " where Processes.parent_process_name=WmiPrvSE.exe"
        f' NOT Processes.process="*dismhost*" {filled}'
    )
    assert told["count"] == len(page.rows)


def test_tags_risk_score_49(page: Hunted) -> None:
    assert page.detection.tags.risk_score == 49
    assert {e["risk_score"] for e in page.risk} == {"49"}
    assert {f["severity"] for f in page.findings} == {"medium"}


def test_tags_security_domain(page: Hunted) -> None:
    assert {f["security_domain"] for f in page.findings} == {"endpoint"}


def test_tests_true_positive_test(page: Hunted, tmp_path: Path) -> None:
    """It runs over a copy of its URL's data and passes, also strictly and with its drilldowns."""
    test = page.detection.tests[0]
    (data,) = test.attack_data
    assert test.name == "True Positive Test"
    assert data.data == (
        "https://media.githubusercontent.com/media/splunk/attack_data/master/datasets/"
        "attack_techniques/T1047/atomic_red_team/windows-sysmon.log"
    )
    assert data.source == "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
    assert data.sourcetype.casefold() == "xmlwineventlog"
    copy = tmp_path / "datasets/attack_techniques/T1047/atomic_red_team/windows-sysmon.log"
    copy.parent.mkdir(parents=True)
    copy.write_bytes((EVENTS / "positive.xml").read_bytes())
    own = replace(page.detection, tests=(test,))
    options = TestOptions(now=NOW, strict=True, drilldowns=True)
    (result,) = run_all_tests([own], page.content, folders=[tmp_path], options=options)
    assert result.problems == ()
    assert result.passed
    assert [d.rows > 0 for d in result.drilldowns] == [True, True]


def test_manual_test_none(page: Hunted) -> None:
    assert page.detection.tags.manual_test is None
    assert all(t.manual_test is None for t in page.detection.tests)


def test_related_analytic_stories(page: Hunted) -> None:
    """The story is there, and asking for it runs the detection."""
    story = page.content.story("suspicious wmi use")
    assert story is not None
    assert story.name == "Suspicious WMI Use"
    plan = plan_hunt(page.content, stories=[story.name])
    assert NAME in [d.name for d in plan.detections]
