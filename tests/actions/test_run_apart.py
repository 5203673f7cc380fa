"""Tests of detections that several processes run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from escudo.actions.run_apart import BenchPlan, count_processes, run_tests_apart
from escudo.actions.run_tests import PlannedTest, TestOptions, order_tests, plan_tests
from escudo.content import Content, load
from escudo.detect.attack_data import DataFinder
from escudo.detect.testing import Outcome
from escudo.startup import silence_warnings
from tests.detection_tests import run_all_tests
from tests.findings.matches import NOW
from tests.tested_content import PACK, make_checkout, write_detection

OPTIONS = TestOptions(now=NOW, drilldowns=True)


def die() -> None:
    os._exit(9)


def plan(content: Content, prepare: object = silence_warnings) -> BenchPlan:
    return BenchPlan(
        content=content,
        lakes=None,
        sources=(),
        options=OPTIONS,
        prepare=prepare,  # type: ignore[arg-type]
    )


@pytest.mark.slow
def test_the_results_are_those_of_one_process() -> None:
    content = load([PACK])
    own = [d for d in content.detections if d.origin.layer != "builtin"][:2]
    planned = list(plan_tests(own, DataFinder()))
    apart = dict(run_tests_apart(planned, plan(content), 2))
    together = run_all_tests(own, content, options=OPTIONS)
    assert [(apart[n].outcome, apart[n].rows, apart[n].drilldowns) for n in sorted(apart)] == [
        (r.outcome, r.rows, r.drilldowns) for r in together
    ]
    assert {r.outcome for r in together} == {Outcome.PASSED}


@pytest.mark.slow
def test_a_process_that_dies_fails_the_test_it_was_at(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "content")
    write_detection(checkout, "Finds One", "cmd.exe")
    write_detection(checkout, "Finds Two", "cmd.exe")
    content = load([checkout])
    own = [d for d in content.detections if d.origin.layer != "builtin"]
    planned = list(plan_tests(own, DataFinder()))
    assert order_tests(planned) == [[0, 1]]
    results = dict(run_tests_apart(planned, plan(content, die), 2))
    assert [results[n].outcome for n in (0, 1)] == [Outcome.FAILED] * 2
    assert results[1].problems[0].message == "Finds Two: the process that ran its test ended"


def test_more_processes_where_they_pay() -> None:
    content = load([PACK])
    detection = next(d for d in content.detections if d.tests)
    runnable = PlannedTest(detection, detection.tests[0])
    assert [count_processes([runnable] * n, 4) for n in (1, 79, 80, 1000)] == [1, 1, 2, 4]
