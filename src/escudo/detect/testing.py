"""Detections -> the results of their unit tests: contentctl's rule, exact numbers, negative data.

contentctl passes a test when there is at least one row, every risk object's field is present and
not ``null`` in every row, and every threat object's field is not null in some row. Here a test
can also say how many rows there must be, and a negative test passes when there is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from escudo.content import Detection, DetectionTest
from escudo.content.elements.detection import AttackData
from escudo.content.roots import stays_inside
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, Severity
from escudo.core.timerange import ALL_TIME
from escudo.detect.running import Match, run_detection
from escudo.engines.execute import Engine
from escudo.lake import Lake
from escudo.lake.ingest import ingest

Check = Callable[[Match, DetectionTest], Iterable[Diagnostic]]
"""A further check of a test's match, such as of its exact risk events."""


@dataclass(frozen=True)
class TestResult:
    """What became of one test. ``skipped`` says why it was not run (its data is not here)."""

    __test__ = False

    detection: Detection
    test: DetectionTest
    match: Match | None
    problems: tuple[Diagnostic, ...]
    skipped: str | None
    seconds: float

    @property
    def passed(self) -> bool:
        return self.skipped is None and not any(p.severity is Severity.ERROR for p in self.problems)


def run_tests(
    detection: Detection,
    knowledge: Knowledge,
    engine: Callable[[Catalog], Engine],
    *,
    now: float,
    data_folders: Iterable[Path] = (),
    checks: Iterable[Check] = (),
) -> Iterator[TestResult]:
    """Run a detection's tests, each over a lake of its own that holds the test's data only.

    Args:
        engine: makes the engine over a lake.
        now: the clock of the searches, in epoch seconds.
        data_folders: where data is looked for that the YAML names by URL: by the end of its path.
        checks: further checks, for positive tests.
    """
    for test in detection.tests:
        start = time.perf_counter()
        if test.kind == "experimental":
            yield TestResult(detection, test, None, (), "it is experimental", 0.0)
            continue
        files = [find_data(detection, d, data_folders) for d in test.attack_data]
        outside = [d for d in test.attack_data if _leads_out(detection, d)]
        if outside:
            problems = [
                _error("CON211", f"{detection.name}: {d.data} is outside of the content")
                for d in outside
            ]
            yield TestResult(detection, test, None, tuple(problems), None, 0.0)
            continue
        missing = [d.data for d, f in zip(test.attack_data, files, strict=True) if f is None]
        if missing or not files:
            reason = f"no local copy of {', '.join(missing)}" if missing else "it has no data"
            yield TestResult(detection, test, None, (), reason, 0.0)
            continue
        with Lake.create_temporary() as lake:
            report = ingest([f for f in files if f is not None], lake)
            match = run_detection(
                detection, lake, engine(lake), knowledge, within=ALL_TIME, now=now
            )
            problems = [*report.diagnostics, *judge_rows(match, test)]
            if not match.failed and not test.negative:
                problems += [p for check in checks for p in check(match, test)]
        elapsed = time.perf_counter() - start
        yield TestResult(detection, test, match, tuple(problems), None, elapsed)


def find_data(detection: Detection, data: AttackData, folders: Iterable[Path]) -> Path | None:
    """The local file of a test's data: a path relative to the detection, or a copy of a URL's.

    None where there is none, or where it is outside of the content (of ``folders`` for a copy).
    """
    if "://" not in data.data:
        origin = Path(detection.origin.file)
        path, root = origin.parent / data.data, Path(detection.origin.root or origin.parent)
        return path.resolve() if stays_inside(path, root) and path.exists() else None
    parts = data.data.split("://", 1)[1].split("/")
    for folder in folders:
        for start in range(1, len(parts)):
            path = folder.joinpath(*parts[start:])
            if stays_inside(path, folder) and path.is_file():
                return path
    return None


def _leads_out(detection: Detection, data: AttackData) -> bool:
    """Whether a path of a test's data leads out of the detection's content."""
    origin = Path(detection.origin.file)
    root = Path(detection.origin.root or origin.parent)
    return "://" not in data.data and not stays_inside(origin.parent / data.data, root)


def judge_rows(match: Match, test: DetectionTest) -> Iterator[Diagnostic]:
    """What is wrong with a test's rows; nothing where the test passes."""
    name, rows = match.detection.name, match.rows
    yield from (d for d in match.diagnostics if d.severity is Severity.ERROR)
    if match.failed:
        return
    if test.negative:
        if rows.num_rows:
            shown = rows.slice(0, 1).to_pylist()[0]
            yield _error("DET104", f"{name}: {rows.num_rows} rows, none expected; first: {shown}")
        return
    if not rows.num_rows:
        yield _error("DET101", f"{name}: no row")
        return
    if test.rows is not None and test.rows != rows.num_rows:
        yield _error("DET105", f"{name}: {rows.num_rows} rows, {test.rows} expected")
    risk = match.detection.risk
    if risk is None:
        return
    for item in risk.risk_objects:
        empty = _empty_rows(rows, item.field)
        if empty:
            yield _error(
                "DET102", f"{name}: {item.field} is missing or null in rows {_some(empty)}"
            )
    for threat in risk.threat_objects:
        if len(_empty_rows(rows, threat.field)) == rows.num_rows:
            yield _error("DET103", f"{name}: {threat.field} is missing or null in every row")


def _empty_rows(rows: pa.Table, field: str) -> list[int]:
    """The rows in which a field is missing, null, empty or ``null``."""
    if field not in rows.column_names:
        return list(range(rows.num_rows))
    values = rows[field].to_pylist()
    return [i for i, v in enumerate(values) if v is None or v in ("", "null", [], ["null"])]


def _some(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown if len(numbers) <= 5 else f"{shown}, ... ({len(numbers)} in all)"


def _error(code: str, message: str) -> Diagnostic:
    return Diagnostic(code, message)
