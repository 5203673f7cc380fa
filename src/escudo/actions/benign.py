"""Known-good logs, detections -> which of them fire more often than allowed; called by
``escudo test --benign``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from escudo.actions.run_tests import TestReport
from escudo.actions.workspace import Workspace
from escudo.content import Content, Detection, DetectionTest
from escudo.content.loading import read_text
from escudo.content.reading import Section, read_document
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.interrupts import take_until_stopped
from escudo.detect import Match, run_detections
from escudo.detect.testing import Outcome, TestResult, find_first_row, show_row

Allowed = Mapping[str, int]
"""The id of a detection -> how many rows it may give."""


def read_allowed(file: Path, content: Content) -> Allowed:
    """The numbers of a file: ``name or id of a detection: rows``, a line each.

    Raises:
        EscudoError: CLI041 for what is no such line, with its place; CON205 for a name that is
            none's.
    """
    text, unreadable = read_text(file)
    if unreadable is not None:
        raise EscudoError("CLI041", unreadable.message, span=unreadable.span)
    node, problems = read_document(str(file), text)
    allowed: dict[str, int] = {}
    if node is not None:
        section = Section(node, problems)
        for name in section.keys:
            number = section.whole(name)
            if number is None or number < 0:
                section.problem("CON102", f"{name} must have a whole number from 0", name)
                break
            allowed[content.detection(name).id] = number
    if problems.failed:
        wrong = next(d for d in problems.found if d.severity is Severity.ERROR)
        raise EscudoError("CLI041", wrong.message, span=wrong.span, hint=wrong.hint, source=text)
    return allowed


def run_benign(
    workspace: Workspace,
    detections: Sequence[Detection],
    allowed: Allowed,
    *,
    follow: Callable[[Sequence[Detection]], Iterable[Detection]] = iter,
) -> TestReport:
    """Runs detections over the known-good logs in a lake: a result for each that is enabled. After
    Ctrl-C the report has the results that there are.

    A detection fails where it gives more rows than it may, none unless ``allowed`` says more, or
    cannot be run. Those of type Hunting are for people to look at, so they may give any number
    unless they are in ``allowed``.
    """
    begun = time.perf_counter()
    detections = [d for d in detections if d.enabled]
    snapshot = workspace.lake.snapshot()
    matches = run_detections(
        detections,
        snapshot,
        workspace.engine_of(snapshot),
        workspace.knowledge,
        within=workspace.within,
        now=workspace.now,
        screener=workspace.screener,
    )
    test = DetectionTest("Known-good logs", (), negative=True)
    judged = _judge(matches, follow(detections), test=test, allowed=allowed)
    results, stopped = take_until_stopped(judged)
    return TestReport(
        tuple(results),
        seconds=time.perf_counter() - begun,
        unrun=len(detections) - len(results),
        stopped=stopped,
    )


def _judge(
    matches: Iterable[Match],
    detections: Iterable[Detection],
    *,
    test: DetectionTest,
    allowed: Allowed,
) -> Iterator[TestResult]:
    begun = time.perf_counter()
    for detection, match in zip(detections, matches, strict=True):
        problems = [d for d in match.diagnostics if d.severity is Severity.ERROR]
        rows = match.rows.num_rows
        most = allowed.get(detection.id, None if detection.type == "Hunting" else 0)
        if most is not None and rows > most:
            message = f"{detection.name}: {rows:,} rows over known-good logs, {most:,} allowed"
            hint = f"first: {show_row(find_first_row(match))}"
            place = detection.origin.search
            problems.append(Diagnostic("DET108", message, span=place, hint=hint))
        now = time.perf_counter()
        yield TestResult(
            detection,
            test,
            Outcome.FAILED if problems else Outcome.PASSED,
            tuple(problems),
            rows=None if match.failed else rows,
            first_row=find_first_row(match),
            seconds=now - begun,
        )
        begun = now
