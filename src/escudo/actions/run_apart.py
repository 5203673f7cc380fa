"""Many planned tests -> their results, by some processes at once; called by ``escudo test``.

Compiling a search has the interpreter's lock, so threads do not share that work.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Event
from typing import Any

from escudo.actions.engines import make_engines
from escudo.actions.lake_cache import LakeCache
from escudo.actions.run_tests import PlannedTest, TestBench, TestOptions, order_tests
from escudo.content import Content
from escudo.core.errors import Diagnostic
from escudo.core.interrupts import is_stopping
from escudo.detect.testing import Outcome, TestResult
from escudo.lake.tables import load_tables

TESTS_A_PROCESS = 40
"""Tests for which another process pays: it takes a second to begin (2026-11-29, 2 cores)."""

_LOOK_SECONDS = 0.2
"""Seconds between two looks at whether to stop."""


_END_SECONDS = 5.0
"""Seconds that a process has for what it is at, once nothing more is asked of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What another process makes its bench of.

    ``prepare`` is called first, by what starts a process; it has to be a function of a module.
    """

    content: Content
    lakes: Path | None
    sources: tuple[Path, ...]
    options: TestOptions
    prepare: Callable[[], None]


def count_processes(planned: Sequence[PlannedTest], most: int) -> int:
    """How many processes pay for some tests, at most so many."""
    runnable = sum(p.decided is None for p in planned)
    return max(1, min(most, runnable // TESTS_A_PROCESS))


def run_tests_apart(
    planned: Sequence[PlannedTest],
    plan: BenchPlan,
    processes: int,
    *,
    stop: Event | None = None,
) -> Generator[tuple[int, TestResult]]:
    """Runs tests by some processes; those over the same data by the same one.

    The number of each test and its result, as they come. A process that dies fails the test that it
    was at, and those that follow are run by the others. Once ``stop`` is set, they are ended.
    """
    plan = replace(plan, content=replace(plan.content, kept=()))
    groups = order_tests(planned)[::-1]
    spawn = get_context("spawn")
    workers: dict[Connection, Any] = {}
    at_work: dict[Connection, list[int]] = {}

    def begin() -> None:
        ours, theirs = spawn.Pipe()
        worker = spawn.Process(target=_serve, args=(theirs, plan), daemon=True)
        worker.start()
        theirs.close()
        workers[ours] = worker
        hand_out(ours)

    def hand_out(worker: Connection) -> None:
        group = groups.pop() if groups else []
        if group:
            at_work[worker] = group
        else:
            at_work.pop(worker, None)
        with suppress(OSError):  # that it has died is seen where its results are waited for
            worker.send([planned[n] for n in group] or None)

    try:
        for _ in range(min(processes, len(groups))):
            begin()
        while at_work and not (stop is not None and stop.is_set()):
            for ready in wait(list(at_work), None if stop is None else _LOOK_SECONDS):
                assert isinstance(ready, Connection)
                try:
                    result: TestResult = ready.recv()
                except (EOFError, OSError):
                    number = at_work[ready].pop(0)
                    if at_work[ready]:
                        groups.append(at_work[ready])
                    del at_work[ready]
                    yield number, _tell_death(planned[number])
                    if groups:
                        begin()
                    continue
                yield at_work[ready].pop(0), result
                if not at_work[ready]:
                    hand_out(ready)
    finally:
        for connection in workers:
            connection.close()
        for worker in workers.values():
            if not is_stopping():  # it closes its lakes, which may be for this time only
                worker.join(_END_SECONDS)
            worker.terminate()
            worker.join()


def _tell_death(planned: PlannedTest) -> TestResult:
    message = f"{planned.detection.name}: the process that ran its test ended"
    problem = Diagnostic("DET001", message, span=planned.detection.origin.search)
    return TestResult(planned.detection, planned.test, Outcome.FAILED, (problem,))


def _serve(connection: Connection, plan: BenchPlan) -> None:
    """The work of another process: groups of tests come in, their results go out one by one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plan.prepare()
    lakes = LakeCache(plan.lakes, load_tables(plan.sources))
    bench = TestBench(plan.content, lakes, engine_of=make_engines("duckdb"), options=plan.options)
    try:
        while (group := connection.recv()) is not None:
            for planned in group:
                connection.send(bench.run(planned))
    except (EOFError, OSError):
        pass  # the one that asked is gone
    finally:
        lakes.close()
