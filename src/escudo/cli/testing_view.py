"""The results of detections' tests -> a table for people, JSON for machines; called by
``escudo test``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from escudo.actions.run_tests import TestReport
from escudo.cli.terminal import plain
from escudo.cli.why_view import show_explanation, to_dict
from escudo.core.errors import Diagnostic
from escudo.detect.attack_data import AbsentData, LocalData
from escudo.detect.testing import Outcome, TestResult

MARKS: Mapping[Outcome, tuple[str, str, str]] = {
    Outcome.PASSED: ("✓", "ok  ", "green"),
    Outcome.FAILED: ("✗", "FAIL", "red"),
    Outcome.UNREADABLE: ("?", "??  ", "yellow"),
    Outcome.MISSING: ("-", "--  ", "dim"),
    Outcome.EXPERIMENTAL: ("-", "--  ", "dim"),
    Outcome.MANUAL: ("-", "--  ", "dim"),
}
"""How a line of an outcome begins: on a terminal, elsewhere, and in which style."""
_WORDS: Mapping[Outcome, str] = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.UNREADABLE: "cannot be read yet",
    Outcome.MISSING: "without data here",
    Outcome.EXPERIMENTAL: "experimental",
    Outcome.MANUAL: "manual",
}
_SHOWN = 20
"""Tests that did not run and are told one by one."""


# --- machines -------------------------------------------------------------------------------------


def report_to_dict(report: TestReport) -> dict[str, Any]:
    """All results as JSON: names are stable."""
    return {
        "detections": len({r.detection.id for r in report.results}),
        "tests": len(report.results),
        **{outcome.value: count for outcome, count in report.counts.items()},
        "not_run": report.unrun,
        "untested": [d.name for d in report.untested],
        "seconds": round(report.seconds, 3),
        "results": [_result(r) for r in report.results],
    }


def _result(result: TestResult) -> dict[str, Any]:
    detection = result.detection
    return {
        "detection": detection.name,
        "id": detection.id,
        "version": detection.version,
        "file": detection.origin.file,
        "test": result.test.name,
        "negative": result.test.negative,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "rows": result.rows,
        "seconds": round(result.seconds, 3),
        "problems": [_problem(p) for p in result.problems],
        "data": [_data(d) for d in result.data],
        "drilldowns": [
            {"name": d.name, "rows": d.rows, "error": d.problem.code if d.problem else None}
            for d in result.drilldowns
        ],
        "nearest": to_dict(detection.name, result.nearest)["candidates"] if result.nearest else [],
    }


def _problem(diagnostic: Diagnostic) -> dict[str, Any]:
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }


def _data(data: LocalData | AbsentData) -> dict[str, Any]:
    if isinstance(data, LocalData):
        return {"data": data.data.data, "path": str(data.path), "origin": data.origin}
    return {"data": data.data.data, "path": None, "origin": None}


# --- people ---------------------------------------------------------------------------------------


def show_report(report: TestReport, out: Console, *, verbose: bool = False) -> None:
    """What failed and why, what could not be judged, and the numbers.

    ``verbose``: also those that passed, and all that did not run.
    """
    told = 0
    for result in report.results:
        ran = result.outcome in (Outcome.PASSED, Outcome.FAILED)
        if result.outcome is Outcome.PASSED and not verbose and len(report.results) > _SHOWN:
            continue
        told += not ran
        if ran or verbose or told <= _SHOWN:
            for line in _lines(result, fancy=out.is_terminal):
                out.print(line, soft_wrap=True)
            if result.nearest is not None and result.nearest.candidates:
                out.print(Text("     nearest misses:", style="dim"))
                show_explanation(f"     {result.detection.name}", result.nearest, out)
    left = told - _SHOWN
    if left > 0 and not verbose:
        out.print(f"... and {left:,} more that did not run; --details or --format json has all")
    out.print(plain(summarize_report(report)))


def summarize_report(report: TestReport) -> str:
    """The numbers in one line."""
    parts = [f"{n:,} {_WORDS[o]}" for o, n in report.counts.items() if n]
    if report.unrun:
        parts.append(f"{report.unrun:,} not run")
    if report.untested:
        parts.append(f"{name_count(len(report.untested), 'detection')} without tests")
    head = name_count(len(report.results) + report.unrun, "test")
    return f"{head}: {', '.join(parts) or 'nothing to run'}; {report.seconds:.1f} s"


def name_count(number: int, what: str) -> str:
    """A number of things, in words.

    >>> name_count(1, "test"), name_count(2000, "test")
    ('1 test', '2,000 tests')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _lines(result: TestResult, *, fancy: bool) -> Iterator[Text]:
    sign, word, style = MARKS[result.outcome]
    line = Text(sign if fancy else word, style=style)
    line.append_text(plain(f" {result.detection.name}: {result.test.name}"))
    if result.rows is not None:
        line.append(f"  {name_count(result.rows, 'row')}", style="dim")
    yield line
    if result.reason is not None:
        told = f"{_WORDS[result.outcome]}: {result.reason}"
        yield plain(f"     {told}", style="yellow" if fancy else "")
    for problem in result.problems:
        yield plain("\n".join(f"     {row}" for row in problem.render().splitlines()))
