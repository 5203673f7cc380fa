"""A hunt called as a server would call it: what it is told, and what it gives."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import HuntFollower, HuntPlan, hunt_lake, hunt_logs, plan_hunt
from escudo.actions.ingest import Ingested
from escudo.actions.match_rows import iterate_match
from escudo.actions.narrowing import Narrowing
from escudo.actions.run_report import count_run
from escudo.actions.workspace import Workspace
from escudo.content import Detection
from escudo.core.errors import EscudoError
from escudo.detect.running import make_match
from escudo.engines.duckdb import DuckDBEngine
from escudo.engines.execute import Engine
from escudo.lake import Lake
from tests.lake.logs import sysmon

OWN = content.load()
WMI = OWN.detection("Process Execution via WMI")
COUNTED = (
    "| tstats count from datamodel=Endpoint.Processes by Processes.dest | rename Processes.* as *"
)
NOW = 1_700_100_000.0


class Notes(HuntFollower):
    """What was told, in its order."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def tell_ingested(self, ingested: Ingested) -> None:
        self.told.append(("ingested", ingested.report.read))

    def follow_detections(self, detections: Sequence[Detection]) -> Iterable[Detection]:
        for detection in detections:
            self.told.append(detection.name)
            yield detection


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Lake.create_temporary() as lake:
        yield Workspace(content=OWN, lake=lake, engine_of=DuckDBEngines(), now=NOW)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "day.xml"
    path.write_text(sysmon(3))
    return path


def counting(name: str, **changes: Any) -> Detection:
    """A detection with a row for each host."""
    return replace(WMI, id=name, name=name, search=COUNTED, **changes)


@pytest.mark.slow
def test_detections_are_followed_and_correlations_come_last(
    workspace: Workspace, log: Path
) -> None:
    detections = (
        counting("sums", type="Correlation"),
        counting("first"),
        counting("off", enabled=False),
        counting("second"),
    )
    notes = Notes()
    done = hunt_logs([log], workspace, HuntPlan(detections=detections), follower=notes)
    assert notes.told == [("ingested", 3), "first", "second", "sums"]
    assert [m.detection.name for m in done.hunt.matches] == ["first", "second", "sums"]
    assert not done.failed


def test_the_rows_and_numbers_of_a_hunt(workspace: Workspace, log: Path) -> None:
    done = hunt_logs([log], workspace, HuntPlan(detections=(counting("hosts"),)))
    ((match, _),) = done.hunt.hits()
    (row,) = iterate_match(match)
    assert row["row"] == {"dest": "pc1", "count": 3}
    assert row["detection"] == "hosts"
    assert [(o["field"], o["value"]) for o in row["risk_objects"]] == [("dest", "pc1")]
    summed = done.hunt.sum_risk()
    assert summed is not None
    assert summed["risk_object"].to_pylist() == ["pc1"]
    numbers = count_run(done.ingested.report, done.hunt, seconds=1.5)
    assert numbers["events"]["read"] == 3
    assert numbers["detections"] == {"run": 1, "failed": [], "rows": {"hosts": 1}}
    assert numbers["seconds"] == 1.5


def test_no_log_is_an_error_once_it_is_told_why(workspace: Workspace, tmp_path: Path) -> None:
    notes = Notes()
    with pytest.raises(EscudoError, match="CLI004"):
        hunt_logs([tmp_path / "none"], workspace, plan_hunt(OWN), follower=notes)
    assert notes.told == [("ingested", 0)]


@pytest.mark.slow
def test_a_fault_in_one_search_or_its_writing_is_beside_the_others(
    workspace: Workspace, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Faulty(DuckDBEngine):
        def run(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if "no_such_host" in str(query):
                raise RuntimeError("out of order")
            return super().run(query, *args, **kwargs)

    def engine_of(catalog: Any) -> Engine:
        return Faulty(catalog)

    def keep(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    detections = (
        counting("a"),
        replace(counting("b"), search=f'{COUNTED} | where NOT dest="no_such_host"'),
        replace(counting("c"), search=f"{COUNTED} | outputlookup seen.csv"),
        counting("d"),
    )
    hunt_logs([log], workspace, HuntPlan(detections=()))
    monkeypatch.setattr("escudo.lake.effects._output", keep)
    hunt = hunt_lake(detections, replace(workspace, engine_of=engine_of))
    said = {m.detection.name: [(d.code, d.message) for d in m.diagnostics] for m in hunt.matches}
    assert said == {
        "a": [],
        "b": [("DET001", "b: RuntimeError: out of order")],
        "c": [("SYS001", f"c: {os.strerror(errno.ENOSPC)}")],
        "d": [],
    }
    assert hunt.failed == 2


@pytest.mark.slow
def test_what_one_writes_those_after_it_read_and_others_run_once(
    workspace: Workspace, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def count_match(detection: Detection, *args: Any, **kwargs: Any) -> Any:
        made.append(detection.name)
        return make_match(detection, *args, **kwargs)

    def searching(name: str, search: str) -> Detection:
        return replace(counting(name), search=search)

    monkeypatch.setattr("escudo.detect.running.make_match", count_match)
    read = "| inputlookup seen.csv | stats count"
    detections = (
        searching("one", f"{COUNTED} | outputlookup seen.csv"),
        searching("is one", read),
        counting("apart"),
        searching("two", f"{COUNTED} | outputlookup append=t seen.csv"),
        searching("is two", read),
        counting("too"),
    )
    hunt = hunt_logs([log], workspace, HuntPlan(detections=detections)).hunt
    rows = {m.detection.name: m.rows["count"].to_pylist() for m in hunt.matches}
    assert (rows["is one"], rows["is two"]) == ([1], [2])
    assert hunt.failed == 0
    assert [made.count(name) for name in ("apart", "too")] == [1, 1]


def test_a_plan_has_the_detections_of_names_and_stories() -> None:
    everything = plan_hunt(OWN)
    assert everything == HuntPlan(detections=OWN.detections)
    story = WMI.tags.analytic_story[0]
    of_story = plan_hunt(OWN, stories=[story.upper()]).detections
    assert of_story == tuple(d for d in OWN.detections if story in d.tags.analytic_story)
    assert plan_hunt(OWN, names=[WMI.id]).detections == (WMI,)
    with pytest.raises(EscudoError, match="CLI001"):
        plan_hunt(OWN, stories=["no such story"])
    with pytest.raises(EscudoError, match="CON205"):
        plan_hunt(OWN, names=["no such detection"])


def test_a_lake_is_hunted_as_it_is(workspace: Workspace, log: Path) -> None:
    plan = HuntPlan(detections=(counting("a"),))
    first = hunt_logs([log], workspace, plan)
    notes = Notes()
    again = hunt_logs([], workspace, plan, follower=notes)
    assert notes.told == ["a"]
    rows = [m.rows.to_pylist() for m in (*first.hunt.matches, *again.hunt.matches)]
    assert rows[0] == rows[1] != []
    assert not again.failed


def test_a_hunt_of_an_empty_lake_finds_nothing(workspace: Workspace) -> None:
    done = hunt_logs([], workspace, HuntPlan(detections=(counting("a"),)))
    assert [m.rows.num_rows for m in done.hunt.matches] == [0]


LOW, HIGH, MIDDLE = (
    "Anomaly T1003.001 10",
    "Hunting Experimental T1059 90",
    "TTP T1047 49",
)
OLD = "TTP Deprecated T1059.001 49"
LEFT: list[tuple[Narrowing, list[str]]] = [
    (Narrowing(), [LOW, HIGH, MIDDLE]),
    (Narrowing(types=("ttp",)), [MIDDLE]),
    (Narrowing(types=("TTP", "Hunting")), [HIGH, MIDDLE]),
    (Narrowing(statuses=("deprecated",)), [OLD]),
    (Narrowing(statuses=("deprecated", "experimental")), [HIGH, OLD]),
    (Narrowing(techniques=("t1003",)), [LOW]),
    (Narrowing(techniques=("T1003.001", "T1047")), [LOW, MIDDLE]),
    (Narrowing(min_severity="medium"), [HIGH, MIDDLE]),
    (Narrowing(min_severity="critical"), [HIGH]),
    (Narrowing(exclude=("ttp t1047 49",), types=("TTP", "Anomaly")), [LOW]),
]


def described(name: str) -> Detection:
    """A detection whose name says what it is: type, status, technique, score."""
    kind, *status, technique, score = name.split()
    assert WMI.risk is not None
    objects = tuple(replace(o, score=int(score)) for o in WMI.risk.risk_objects)
    return replace(
        WMI,
        id=name,
        name=name,
        type=kind,
        status=status[0].lower() if status else "production",
        tags=replace(WMI.tags, mitre_attack_id=(technique,)),
        risk=replace(WMI.risk, risk_objects=objects),
    )


@pytest.mark.parametrize(("narrowing", "left"), LEFT)
def test_a_plan_is_narrowed(narrowing: Narrowing, left: list[str]) -> None:
    loaded = replace(OWN, detections=tuple(map(described, (LOW, HIGH, MIDDLE, OLD))))
    assert [d.name for d in plan_hunt(loaded, narrowing=narrowing).detections] == left


def test_a_plan_that_is_narrowed_to_nothing_is_an_error() -> None:
    with pytest.raises(EscudoError, match="CLI009"):
        plan_hunt(OWN, narrowing=Narrowing(techniques=("T9999",)))
    with pytest.raises(EscudoError, match="CON205"):
        plan_hunt(OWN, narrowing=Narrowing(exclude=("no such detection",)))
