"""A validation of content -> what a terminal shows, and SARIF; called by ``escudo validate``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console

from escudo.actions.validation_report import Validation, select_level
from escudo.cli.sarif import build_sarif
from escudo.content.codes import CODES as CONTENT_CODES
from escudo.core.errors import Severity
from escudo.detect.codes import CODES as DETECT_CODES
from escudo.findings.codes import CODES as FINDING_CODES
from escudo.spl import CODES as SEARCH_CODES

_SHOWN = 50
"""Problems of one level that are shown."""


def show_validation(validation: Validation, level: Severity, out: Console) -> None:
    """What is wrong, errors last, and how many searches of each kind run."""
    problems = validation.problems
    counts = Counter(d.severity for d in problems)
    shown = select_level(problems, level)
    for severity in reversed(Severity):
        of_level = [d for d in shown if d.severity is severity]
        for diagnostic in of_level[:_SHOWN]:
            out.print(diagnostic.render())
        if len(of_level) > _SHOWN:
            more = len(of_level) - _SHOWN
            out.print(f"... and {more:,} more of level {severity}; --format json has all")
    for kind, verdicts in validation.verdicts.items():
        out.print(f"{kind}: {verdicts.total - len(verdicts.failed):,} of {verdicts.total:,} run")
    failed = validation.content.failed_files
    out.print(
        f"{counts[Severity.ERROR]:,} errors, {counts[Severity.WARNING]:,} warnings,"
        f" {counts[Severity.INFO]:,} notes; {failed:,} files could not be loaded"
    )


def build_validation_sarif(validation: Validation, level: Severity) -> dict[str, Any]:
    """All problems from a level on as SARIF 2.1.0."""
    codes = {**SEARCH_CODES, **CONTENT_CODES, **FINDING_CODES, **DETECT_CODES}
    return build_sarif(select_level(validation.problems, level), codes)
