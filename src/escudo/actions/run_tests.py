"""Content, where its tests' data lies -> what became of each test; called by ``escudo test``.

The data of a test is in a lake of its own, which tests over the same data share
(``actions.lake_cache``).
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from escudo.actions.lake_cache import HeldData, LabelledFile, LakeCache, Reading
from escudo.actions.workspace import EngineOf
from escudo.content import Content, Detection, DetectionTest
from escudo.content.elements.detection import AttackData
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.interrupts import Stopped
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.detect import Match
from escudo.detect.attack_data import AbsentData, DataFinder, LocalData
from escudo.detect.attempt import attempt
from escudo.detect.running import run_detection
from escudo.detect.testing import (
    RAN,
    DrilldownRun,
    Outcome,
    TestResult,
    find_first_row,
    judge_rows,
)
from escudo.detect.why import Explanation, Why
from escudo.engines.execute import Engine
from escudo.findings.drilldown import fill_drilldowns, find_drilldown_clock, run_drilldown
from escudo.findings.expectations import check_risk_events
from escudo.findings.risk import build_risk_events
from escudo.lake.added_rows import AddedRows
from escudo.lake.labels import Labels
from escudo.lake.tables import RISK

_OPENED_AFTER = 7_200.0
"""Seconds from a finding until its drilldowns are opened: ESCU's of 2024 leave the last hour out
(``endhoursago=1``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOptions:
    """How tests are judged.

    Args:
        now: the clock of the searches, in epoch seconds.
        strict: every row is looked at, not only those up to the first that is complete.
        drilldowns: the drilldowns of every positive test must give rows.
        nearest: how many near misses are looked for where a test found no row; 0: none.
        needs_data: a test whose data is not here, or cannot be read, fails.
    """

    __test__ = False

    now: float
    strict: bool = False
    drilldowns: bool = False
    nearest: int = 3
    needs_data: bool = False


@dataclass(frozen=True, slots=True)
class PlannedTest:
    """A test with its data; ``decided`` where it will not run."""

    detection: Detection
    test: DetectionTest
    data: tuple[LocalData | AbsentData, ...] = ()
    decided: TestResult | None = None

    @property
    def files(self) -> tuple[LabelledFile, ...]:
        """The files of its data, if all are here."""
        here = [d for d in self.data if isinstance(d, LocalData)]
        return tuple(LabelledFile(d.path, find_labels(d.data)) for d in here)


def find_labels(data: AttackData) -> Labels:
    """What the events of a test's data carry, as Splunk gives it to a file that is replayed."""
    return Labels(
        source=data.source or None,
        sourcetype=data.sourcetype or None,
        host=data.host,
        index=data.index,
    )


def plan_test(detection: Detection, test: DetectionTest, finder: DataFinder) -> PlannedTest:
    """A test with its data, which is fetched if need be; decided where it is not to be run."""
    manual = test.manual_test or detection.tags.manual_test
    decided = partial(TestResult, detection, test)
    if manual:
        return PlannedTest(
            detection, test, decided=decided(Outcome.MANUAL, reason=" ".join(manual.split()))
        )
    if test.kind == "experimental":
        reason = "its test_type is experimental"
        return PlannedTest(detection, test, decided=decided(Outcome.EXPERIMENTAL, reason=reason))
    try:
        data = tuple(finder.find(detection, d) for d in test.attack_data)
    except EscudoError as error:
        result = decided(Outcome.FAILED, problems=(error.diagnostic,))
        return PlannedTest(detection, test, decided=result)
    absent = [d.reason for d in data if isinstance(d, AbsentData)]
    if absent or not data:
        reason = "; ".join(absent) or "it has no data"
        result = decided(Outcome.MISSING, reason=reason, data=data)
        return PlannedTest(detection, test, data, result)
    return PlannedTest(detection, test, data)


class TestBench:
    """Runs tests, one after the other.

    Args:
        lakes: keeps what was read of test data.
        engine_of: makes engines; they should share a connection (``actions.engines``).
    """

    __test__ = False

    def __init__(
        self, content: Content, lakes: LakeCache, *, engine_of: EngineOf, options: TestOptions
    ) -> None:
        self._content = content
        self._lakes = lakes
        self._engine_of = engine_of
        self._options = options

    @cached_property
    def _engine(self) -> Engine:
        return self._engine_of(_NOTHING)

    def run(self, planned: PlannedTest) -> TestResult:
        """What becomes of a test. Nothing is raised for what is wrong with it."""
        begun = time.perf_counter()
        result = planned.decided or self._run(planned)
        if self._options.needs_data and result.outcome in (Outcome.MISSING, Outcome.UNREADABLE):
            told = Diagnostic(
                "DET107",
                f"{planned.detection.name}: {result.reason}",
                span=planned.detection.origin.search,
            )
            result = replace(result, outcome=Outcome.FAILED, problems=(*result.problems, told))
        return replace(result, seconds=time.perf_counter() - begun)

    def _run(self, planned: PlannedTest) -> TestResult:
        detection, test = planned.detection, planned.test
        held = attempt(partial(self._lakes.hold, planned.files), name=detection.name)
        if isinstance(held, Diagnostic):
            problems = (replace(held, span=detection.origin.search),)
            return TestResult(detection, test, Outcome.FAILED, problems, data=planned.data)
        run = partial(self._judge, planned, held)
        judged = attempt(run, name=detection.name, source=detection.search)
        if isinstance(judged, Diagnostic):
            return TestResult(detection, test, Outcome.FAILED, (judged,), data=planned.data)
        return judged

    def _judge(self, planned: PlannedTest, held: HeldData) -> TestResult:
        detection, test, options = planned.detection, planned.test, self._options
        catalog = held.catalog
        engine = self._engine.over(catalog)
        match = run_detection(
            detection,
            catalog,
            engine,
            self._content.knowledge,
            within=ALL_TIME,
            now=options.now,
        )
        problems = list(judge_rows(match, test, strict=options.strict))
        drilldowns: list[DrilldownRun] = []
        if match.rows.num_rows and not match.failed and not test.negative:
            risk = _find_table(catalog, RISK)
            problems += check_risk_events(match, test, risk)
            if test.drilldowns or options.drilldowns:
                drilldowns += self._run_drilldowns(match, engine, catalog=catalog, risk=risk)
                problems += [d.problem for d in drilldowns if d.problem is not None]
        result = TestResult(
            detection,
            test,
            Outcome.FAILED if problems else Outcome.PASSED,
            tuple(problems),
            rows=None if match.failed else match.rows.num_rows,
            first_row=find_first_row(match),
            data=planned.data,
            drilldowns=tuple(drilldowns),
        )
        if match.failed:
            return result
        unread = tell_unread(planned, held.reading)
        if unread is not None and (problems or test.negative):
            return replace(result, outcome=Outcome.UNREADABLE, reason=unread)
        if options.nearest and any(p.code == "DET101" for p in problems):
            return self._explain(result, engine, catalog)
        return result

    def _run_drilldowns(
        self, match: Match, engine: Engine, *, catalog: Catalog, risk: TableSchema
    ) -> Iterator[DrilldownRun]:
        """The drilldowns of the first row, over the test's data and the match's risk events."""
        now = find_drilldown_clock(match, 0) + _OPENED_AFTER
        with tempfile.TemporaryDirectory(prefix="escudo-risk-") as folder:
            events = build_risk_events(match, risk)
            both = AddedRows(catalog, risk, events, folder=Path(folder))
            over = engine.over(both)
            for drilldown in fill_drilldowns(match, 0):
                run = partial(
                    run_drilldown, drilldown, over, both, self._content.knowledge, now=now
                )
                outcome = attempt(run, name=drilldown.name, source=drilldown.search)
                if isinstance(outcome, Diagnostic):
                    problem = replace(outcome, span=match.detection.origin.search)
                    yield DrilldownRun(drilldown.name, 0, problem)
                    continue
                rows = outcome.table.num_rows
                message = f"{match.detection.name}: the drilldown {drilldown.name!r} gives no row"
                empty = Diagnostic(
                    "DET106", message, span=match.detection.origin.search, hint=drilldown.search
                )
                yield DrilldownRun(drilldown.name, rows, None if rows else empty)

    def _explain(self, result: TestResult, engine: Engine, catalog: Catalog) -> TestResult:
        """The result with what came nearest, and the condition that lost it."""
        detection = result.detection

        def explain() -> Explanation:
            why = Why(
                detection.search,
                engine,
                catalog,
                self._content.knowledge,
                now=self._options.now,
                file=detection.origin.file,
            )
            return why.explain_nearest(self._options.nearest)

        nearest = attempt(explain, name=detection.name)
        if isinstance(nearest, Diagnostic):
            return result
        hint = tell_miss(nearest)
        problems = tuple(
            replace(p, hint=hint) if p.code == "DET101" else p for p in result.problems
        )
        return replace(result, problems=problems, nearest=nearest)


class _NoCatalog:
    """A catalog of nothing, for an engine whose catalog is given with each test."""

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return None

    def datasets(self) -> Sequence[tuple[str, str]]:
        return ()

    def raw_tables(self) -> Sequence[TableSchema]:
        return ()

    def files(self, table: str, within: object) -> tuple[str, ...]:
        return ()


_NOTHING = _NoCatalog()


def _find_table(catalog: Catalog, name: str) -> TableSchema:
    return next(s for s in catalog.raw_tables() if s.table == name)


def tell_unread(planned: PlannedTest, reading: Reading) -> str | None:
    """Why the data of a test cannot be judged by; None where all of it is understood."""
    if not reading.events:
        told = "; ".join(reading.problems) or "there is no event in it"
        return f"{_name_files(planned)}: {told}"
    if reading.problems and not reading.families:
        return f"{_name_files(planned)}: {'; '.join(reading.problems)}"
    if reading.unknown == reading.events:
        types = dict.fromkeys(d.data.sourcetype or "no source type" for d in planned.data)
        return f"no source of Escudo knows the events of {', '.join(types)}"
    return None


def _name_files(planned: PlannedTest) -> str:
    return ", ".join(
        f"{d.data.data.rpartition('/')[2]} ({d.data.sourcetype or 'no source type'})"
        for d in planned.data
    )


def tell_miss(nearest: Explanation) -> str | None:
    """Which condition lost the event that came nearest, and what it had instead."""
    for candidate in nearest.candidates:
        for step in candidate.steps:
            for verdict in step.verdicts:
                if verdict.held is not True:
                    had = ", ".join(
                        f"{name} is {'null' if value is None else value}"
                        for name, value in verdict.values.items()
                    )
                    told = f"the last event was lost by {verdict.text}"
                    hint = f"; {verdict.hint}" if verdict.hint else ""
                    return f"{told}, where {had}{hint}" if had else f"{told}{hint}"
        if candidate.note:
            return candidate.note
    return None if nearest.candidates else "no event of the data is among those that it reads"


def order_tests(planned: Sequence[PlannedTest]) -> list[list[int]]:
    """The numbers of the tests, those over the same data together."""
    groups: dict[object, list[int]] = {}
    for number, test in enumerate(planned):
        key = tuple((str(f.path), f.labels) for f in test.files) if test.decided is None else None
        groups.setdefault(key, []).append(number)
    return list(groups.values())


@dataclass(frozen=True)
class TestReport:
    """The results of tests, in the order of the detections, and those that have none.

    ``unrun``: how many tests were left when the run was ``stopped``.
    """

    __test__ = False

    results: tuple[TestResult, ...]
    untested: tuple[Detection, ...] = ()
    seconds: float = 0.0
    unrun: int = 0
    stopped: Stopped | None = None

    @cached_property
    def counts(self) -> Counter[Outcome]:
        """How many tests came to each outcome."""
        return Counter(dict.fromkeys(Outcome, 0) | dict(Counter(r.outcome for r in self.results)))

    @property
    def failed(self) -> list[TestResult]:
        return [r for r in self.results if r.outcome is Outcome.FAILED]

    @property
    def blind(self) -> bool:
        """Whether tests were to be run, and none was."""
        return bool(self.results) and not any(r.outcome in RAN for r in self.results)


def plan_tests(detections: Iterable[Detection], finder: DataFinder) -> Iterator[PlannedTest]:
    """The tests of detections with their data, in their order."""
    return (plan_test(d, t, finder) for d in detections for t in d.tests)


def run_tests(planned: Sequence[PlannedTest], bench: TestBench) -> Iterator[tuple[int, TestResult]]:
    """Runs tests, those over the same data together: the number of each, and its result."""
    for group in order_tests(planned):
        for number in group:
            yield number, bench.run(planned[number])
