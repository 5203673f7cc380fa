"""Detections on batches find what they find on all events; a death in between loses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from escudo import content
from escudo.actions.engines import make_engines
from escudo.actions.follow import Arrival, ArrivalPlan, follow_logs, plan_arrival
from escudo.actions.workspace import Workspace
from escudo.inputs import FollowOptions
from escudo.lake import Lake
from escudo.sinks import Finding
from tests.inputs.json_logs import attack, lines

ONCE = FollowOptions(once=True, settle=0.0, every=0.05)
WMI = "Process Execution via WMI"


@pytest.fixture(scope="module")
def loaded() -> content.Content:
    return content.load()


@pytest.fixture(scope="module")
def plan(loaded: content.Content) -> ArrivalPlan:
    return plan_arrival(loaded.detections, loaded)


class DiedError(Exception):
    """The process died, or as good as."""


def follow(
    logs: Path,
    lake: Lake,
    loaded: content.Content,
    plan: ArrivalPlan,
    sent: list[Finding],
    *,
    dies: bool = False,
) -> list[Arrival]:
    workspace = Workspace(
        content=loaded, lake=lake, engine_of=make_engines("duckdb"), now=time.time()
    )

    def deliver(findings: Sequence[Finding]) -> None:
        sent.extend(findings)
        if dies:
            raise DiedError

    return list(follow_logs([logs], workspace, plan, options=ONCE, deliver=deliver))


def test_correlations_are_left_to_their_schedule(plan: ArrivalPlan) -> None:
    assert WMI in {d.name for d in plan.detections}
    assert {d.type for d in plan.detections}.isdisjoint({"Correlation"})
    assert {r.code for _, r in plan.others} == {"SPL331"}


def test_a_batch_that_was_not_searched_to_its_end_is_searched_again(
    tmp_path: Path, loaded: content.Content, plan: ArrivalPlan
) -> None:
    """The batches that were searched together are so again, so that ids are the same; what came
    meanwhile is another one."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text(lines(range(5)) + attack(5))
    sent: list[Finding] = []
    with Lake.open(tmp_path / "lake") as lake:
        with pytest.raises(DiedError):
            follow(logs, lake, loaded, plan, sent, dies=True)
        assert len(sent) == 1
        (logs / "b.log").write_text(attack(6))
        arrivals = follow(logs, lake, loaded, plan, sent)
        assert [f["finding_id"] for f in sent] == [sent[0]["finding_id"]] * 2 + [
            sent[2]["finding_id"]
        ]
        assert [a.events for a in arrivals] == [6, 1]
        assert follow(logs, lake, loaded, plan, sent) == []


def test_two_follow_different_inputs_into_one_lake(
    tmp_path: Path, loaded: content.Content, plan: ArrivalPlan
) -> None:
    sent: list[Finding] = []
    with Lake.open(tmp_path / "lake") as lake:
        threads = []
        for name in ("a", "b"):
            logs = tmp_path / name
            logs.mkdir()
            (logs / "x.log").write_text(lines(range(3)) + attack(len(threads)))
            arguments = (logs, lake, loaded, plan, sent)
            threads.append(threading.Thread(target=follow, args=arguments))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({f["finding_id"] for f in sent}) == len(sent) == 2
