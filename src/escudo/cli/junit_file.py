"""The results of detections' tests -> a JUnit XML file, which CI servers show; called by
``escudo test``.

Imported when such a file is asked for.
"""

from __future__ import annotations

from typing import IO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from escudo.actions.run_tests import TestReport
from escudo.cli.terminal import escape_controls
from escudo.detect.testing import Outcome, TestResult


def write_junit(report: TestReport, stream: IO[bytes]) -> None:
    """A suite with a case for each test. A search that cannot run is an error; what did not run is
    skipped, with the reason. The number of those that a stop left is a property of the suite."""
    suite = TestSuite("escudo test")
    for result in report.results:
        case = TestCase(
            escape_controls(result.test.name),
            classname=escape_controls(result.detection.name),
            time=round(result.seconds, 3),
        )
        case._elem.set("file", escape_controls(result.detection.origin.file))
        case.result = _list_marks(result)
        suite.add_testcase(case)
    suite.time = round(report.seconds, 3)
    if report.unrun:
        suite.add_property("not_run", str(report.unrun))
    document = JUnitXml()
    document.add_testsuite(suite)
    document.write(stream, pretty=True)


def _list_marks(result: TestResult) -> list[FinalResult]:
    if result.outcome is Outcome.PASSED:
        return []
    if result.outcome is not Outcome.FAILED:
        word = "cannot be read yet" if result.outcome is Outcome.UNREADABLE else result.outcome
        return [Skipped(escape_controls(f"{word}: {result.reason}"))]
    marks: list[FinalResult] = []
    for problem in result.errors:
        kind = Failure if problem.code.startswith(("DET10", "FND")) else Error
        mark = kind(escape_controls(problem.message), problem.code)
        mark.text = escape_controls(problem.render())
        marks.append(mark)
    return marks
