"""The report of many tests: in their order, and what there is of it after a stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from escudo.actions.run_apart import BenchPlan
from escudo.actions.run_detection_tests import run_detection_tests
from escudo.actions.run_tests import TestOptions, TestReport
from escudo.cli.junit_file import write_junit
from escudo.cli.testing_view import report_to_dict, summarize_report
from escudo.content import load
from escudo.detect.attack_data import DataFinder
from escudo.lake.tables import load_tables
from escudo.startup import silence_warnings
from tests.findings.matches import NOW
from tests.tested_content import make_checkout, write_detection


def run(checkout: Path, follow: Any) -> TestReport:
    content = load([checkout])
    own = [d for d in content.detections if d.origin.layer != "builtin"]
    plan = BenchPlan(
        content=content,
        lakes=None,
        sources=(),
        options=TestOptions(now=NOW),
        prepare=silence_warnings,
    )
    return run_detection_tests(own, DataFinder(), plan, tables=load_tables(), follow=follow)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    made = make_checkout(tmp_path / "content")
    for name in ("One", "Two", "Three"):
        write_detection(made, name, "cmd.exe")
    write_detection(made, "Untested", "cmd.exe", tests=[])
    return made


def test_the_results_are_in_the_order_of_the_detections(checkout: Path) -> None:
    told: list[str] = []

    def follow(items: Sequence[Any], what: str) -> Sequence[Any]:
        told.append(f"{what}: {len(items)}")
        return items

    report = run(checkout, follow)
    assert [r.detection.name for r in report.results] == ["One", "Three", "Two"]
    assert all(r.passed for r in report.results)
    assert [d.name for d in report.untested] == ["Untested"]
    assert (report.unrun, report.stopped) == (0, None)
    assert told == ["looking for data: 3", "running tests: 3"]


def test_what_has_run_is_told_after_a_stop(checkout: Path) -> None:
    def follow(items: Sequence[Any], what: str) -> Iterator[Any]:
        yield from items[:2]
        if what == "running tests":
            raise KeyboardInterrupt
        yield from items[2:]

    report = run(checkout, follow)
    assert len(report.results) == 2
    assert report.unrun == 1
    assert report.stopped is not None
    assert report.stopped.exit_code == 130
    assert report_to_dict(report)["not_run"] == 1
    junit = BytesIO()
    write_junit(report, junit)
    told = ElementTree.fromstring(junit.getvalue())
    assert [(p.get("name"), p.get("value")) for p in told.iter("property")] == [("not_run", "1")]
    assert summarize_report(report).startswith("3 tests: 2 passed, 1 not run, 1 detection without")
