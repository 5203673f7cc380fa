"""Detections -> the report of all their tests: data is found, each test is run, by this process or
by some others; called by ``escudo test``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Any, TypeAlias

from escudo.actions.engines import make_engines
from escudo.actions.lake_cache import LakeCache
from escudo.actions.run_apart import BenchPlan, count_processes, run_tests_apart
from escudo.actions.run_tests import PlannedTest, TestBench, TestReport, plan_test, run_tests
from escudo.content import Detection
from escudo.core.interrupts import take_until_stopped
from escudo.core.ordered_map import map_in_order
from escudo.detect.attack_data import DataFinder
from escudo.detect.testing import TestResult
from escudo.lake.tables import Tables

Follow: TypeAlias = Callable[[Sequence[Any], str], Iterable[Any]]
"""Is given items and what is done with them, and yields them one by one (a progress bar)."""

MOST_PROCESSES = 4
_FETCHED_AT_ONCE = 4


def run_detection_tests(
    detections: Sequence[Detection],
    finder: DataFinder,
    plan: BenchPlan,
    *,
    tables: Tables,
    processes: int | None = None,
    follow: Follow = lambda items, _: items,
) -> TestReport:
    """Runs the tests of detections. After Ctrl-C the report has the results that there are.

    Args:
        plan: what the tests are run with.
        tables: the sources of the plan, as this process has them.
        processes: how many run tests; None: as many as pay, ``MOST_PROCESSES`` at the most.
    """
    begun = time.perf_counter()
    planned = _plan(detections, finder, follow)
    if processes is None:
        processes = count_processes(planned, min(MOST_PROCESSES, os.cpu_count() or 1))
    with closing(_run(planned, plan, tables=tables, processes=processes)) as ran:
        followed = zip(follow(planned, "running tests"), ran, strict=True)
        results, stopped = take_until_stopped(result for _, result in followed)
    return TestReport(
        tuple(result for _, result in sorted(results, key=lambda numbered: numbered[0])),
        untested=tuple(d for d in detections if not d.tests),
        seconds=time.perf_counter() - begun,
        unrun=len(planned) - len(results),
        stopped=stopped,
    )


def _plan(detections: Sequence[Detection], finder: DataFinder, follow: Follow) -> list[PlannedTest]:
    """The tests with their data; what has to be fetched may take a while."""
    tests = [(d, t) for d in detections for t in d.tests]
    threads = _FETCHED_AT_ONCE if finder.fetches else 1
    planned = map_in_order(lambda both: plan_test(*both, finder), tests, threads=threads)
    return [plan for _, plan in zip(follow(tests, "looking for data"), planned, strict=True)]


def _run(
    planned: Sequence[PlannedTest], plan: BenchPlan, *, tables: Tables, processes: int
) -> Generator[tuple[int, TestResult]]:
    if processes > 1:
        yield from run_tests_apart(planned, plan, processes)
        return
    lakes = LakeCache(plan.lakes, tables)
    try:
        engine_of = make_engines("duckdb")
        bench = TestBench(plan.content, lakes, engine_of=engine_of, options=plan.options)
        yield from run_tests(planned, bench)
    finally:
        lakes.close()
