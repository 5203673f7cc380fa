"""The rows that a detection found in a test's data -> whether the test passes, and what is wrong;
called by ``actions.run_tests``.

contentctl's rule (5.6.2, ``retry_search_until_timeout``): rows are looked at in their order. A risk
object's field that is missing in a row fails the test. The first row with all risk and threat
fields ends it: it passes. Without such a row it passes where each threat object's field is filled
in some row. With ``strict`` no row ends it early. Here a test can also say how many rows there must
be, and a negative test passes where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from escudo.content import Detection, DetectionTest
from escudo.core.errors import Diagnostic, Severity
from escudo.detect.attack_data import AbsentData, LocalData
from escudo.detect.running import Match
from escudo.detect.why import Explanation


class Outcome(StrEnum):
    """What became of a test.

    ``UNREADABLE``: its data is here, and no source of Escudo reads it yet. ``MISSING``: its data is
    not on this machine. ``EXPERIMENTAL`` and ``MANUAL`` tests are not run, as their YAML says.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    EXPERIMENTAL = "experimental"
    MANUAL = "manual"


RAN = frozenset({Outcome.PASSED, Outcome.FAILED})


@dataclass(frozen=True)
class DrilldownRun:
    """A drilldown of a test's first row: how many rows it gave, or what was wrong with it."""

    name: str
    rows: int
    problem: Diagnostic | None = None


@dataclass(frozen=True)
class TestResult:
    """What became of one test.

    ``reason`` says why it was not run, or what could not be read. ``first_row`` is the first row
    found, ``nearest`` the events that came nearest where there was none.
    """

    __test__ = False

    detection: Detection
    test: DetectionTest
    outcome: Outcome
    problems: tuple[Diagnostic, ...] = ()
    reason: str | None = None
    rows: int | None = None
    first_row: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[LocalData | AbsentData, ...] = ()
    drilldowns: tuple[DrilldownRun, ...] = ()
    nearest: Explanation | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASSED

    @property
    def errors(self) -> list[Diagnostic]:
        """What made it fail."""
        return [p for p in self.problems if p.severity is Severity.ERROR]


def judge_rows(match: Match, test: DetectionTest, *, strict: bool = False) -> Iterator[Diagnostic]:
    """What is wrong with a test's rows; nothing where the test passes."""
    name, rows = match.detection.name, match.rows
    yield from (d for d in match.diagnostics if d.severity is Severity.ERROR)
    if match.failed:
        return
    if test.negative:
        if rows.num_rows:
            shown = show_row(find_first_row(match))
            message = f"{name}: {rows.num_rows} rows, none expected; first: {shown}"
            yield _error("DET104", message, match)
        return
    if not rows.num_rows:
        yield _error("DET101", f"{name}: no row", match)
        return
    if test.rows is not None and test.rows != rows.num_rows:
        message = f"{name}: {rows.num_rows} rows, {test.rows} expected"
        yield _error("DET105", message, match)
    yield from _judge_fields(match, strict=strict)


def _judge_fields(match: Match, *, strict: bool) -> Iterator[Diagnostic]:
    risk = match.detection.risk
    if risk is None:
        return
    name = match.detection.name
    risky = list(dict.fromkeys(o.field for o in risk.risk_objects))
    threats = list(dict.fromkeys(o.field for o in risk.threat_objects))
    seen: set[str] = set()
    empty: dict[str, list[int]] = {}
    ended = False
    present = [f for f in (*risky, *threats) if f in match.rows.column_names]
    for number, row in enumerate(match.rows.select(present).to_pylist()):
        for item in risky:
            if _is_empty(row.get(item), strict=strict):
                empty.setdefault(item, []).append(number)
        filled = {item for item in threats if not _is_empty(row.get(item), strict=strict)}
        seen |= filled
        if not strict and (empty or len(filled) == len(threats)):
            ended = not empty
            break
    for item, numbers in empty.items():
        told = f"{name}: {item}, a risk object, is missing or null in {_some(numbers)}"
        yield _error("DET102", told, match, hint=_tell_fields(match, item))
    if ended or (empty and not strict):
        return
    for item in threats:
        if item not in seen:
            told = f"{name}: {item}, a threat object, is missing or null in every row"
            yield _error("DET103", told, match, hint=_tell_fields(match, item))


def _is_empty(value: object, *, strict: bool) -> bool:
    """Whether contentctl sees no value: null, or the text ``null``. A strict test has no use for
    empty text either. Of one value Splunk makes no list."""
    if isinstance(value, list):
        members = [v for v in value if v is not None]
        return not members or (len(members) == 1 and _is_empty(members[0], strict=strict))
    return value is None or value == "null" or (strict and value == "")


def _tell_fields(match: Match, item: str) -> str | None:
    """What the rows have instead of a field that the search does not return."""
    if item in match.rows.column_names:
        return None
    return f"the search returns {', '.join(match.rows.column_names)}"


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    word = "row" if len(numbers) == 1 else "rows"
    return f"{word} {shown}" if len(numbers) <= 5 else f"rows {shown}, ... ({len(numbers)} in all)"


def find_first_row(match: Match) -> dict[str, Any]:
    """The first row of a match, without what is null; empty where there is none."""
    row = match.rows.slice(0, 1).to_pylist() if match.rows.num_rows else [{}]
    return {name: value for name, value in row[0].items() if value is not None}


def show_row(row: Mapping[str, Any]) -> str:
    """A row in one line."""
    return ", ".join(f"{name}={value}" for name, value in row.items())


def _error(code: str, message: str, match: Match, *, hint: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, span=match.detection.origin.search, hint=hint)
