"""Tests of detections that somebody has started -> how far each is, and how to stop it; the API of
detections calls it. Each run has a process of its own, so that it can be ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock, Thread

from escudo.actions.run_apart import BenchPlan, run_tests_apart
from escudo.actions.run_tests import PlannedTest, TestOptions, plan_tests
from escudo.content import Content, Detection
from escudo.core.errors import EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.faults import explain_fault
from escudo.detect.attack_data import DataFinder
from escudo.detect.testing import TestResult

MOST_AT_ONCE = 2
"""Runs at the same time: each has a process."""

KEPT_SECONDS = 3600.0
"""Seconds for which the results of a run are kept."""

RUNNING, DONE, STOPPED, FAILED = "running", "done", "stopped", "failed"


@dataclass(slots=True)
class TestRun:
    """The tests of one detection, as far as they are. ``results`` is by the number of the test."""

    __test__ = False

    id: str
    detection: Detection
    planned: tuple[PlannedTest, ...]
    begun: float
    state: str = RUNNING
    error: str = ""
    results: dict[int, TestResult] = field(default_factory=dict)
    stop: Event = field(default_factory=Event)


class TestRuns:
    """The runs of a server.

    Args:
        clock: gives epoch seconds.
        prepare: what a process of its own begins with; a function of a module.
    """

    __test__ = False

    def __init__(self, clock: Callable[[], float], prepare: Callable[[], None]) -> None:
        self._clock = clock
        self._prepare = prepare
        self._lock = Lock()
        self._runs: dict[str, TestRun] = {}

    def start(
        self, detection: Detection, content: Content, sources: tuple[Path, ...] = ()
    ) -> TestRun:
        """Starts the tests of a detection.

        Args:
            sources: folders of sources that are not Escudo's own.

        Raises:
            EscudoError: SRV075 where too many run.
        """
        now = self._clock()
        planned = tuple(plan_tests([detection], DataFinder()))
        run = TestRun(secrets.token_urlsafe(9), detection, planned, now)
        with self._lock:
            self._forget(now)
            if sum(r.state == RUNNING for r in self._runs.values()) >= MOST_AT_ONCE:
                raise EscudoError("SRV075", f"{MOST_AT_ONCE} tests are running")
            self._runs[run.id] = run
        plan = BenchPlan(
            content=replace(content, detections=(detection,)),
            lakes=None,
            sources=sources,
            options=TestOptions(now=now),
            prepare=self._prepare,
        )
        Thread(target=_run, args=(run, plan), name="escudo-tests", daemon=True).start()
        return run

    def find(self, identity: str) -> TestRun:
        """A run. Raises EscudoError: SRV072 for one that is not there."""
        with self._lock:
            run = self._runs.get(identity)
        if run is None:
            raise EscudoError("SRV072", f"no run {identity!r}")
        return run

    def stop(self, identity: str) -> TestRun:
        """Ends the process of a run. Raises EscudoError: SRV072."""
        run = self.find(identity)
        run.stop.set()
        return run

    def _forget(self, now: float) -> None:
        old = [
            i for i, r in self._runs.items() if r.state != RUNNING and r.begun < now - KEPT_SECONDS
        ]
        for identity in old:
            del self._runs[identity]


def _run(run: TestRun, plan: BenchPlan) -> None:
    try:
        with closing(run_tests_apart(run.planned, plan, 1, stop=run.stop)) as results:
            for number, result in results:
                run.results[number] = result
        run.state = STOPPED if run.stop.is_set() else DONE
    except Exception as error:
        told = explain_fault(error)
        log_event("test run failed", level=ERROR, detection=run.detection.name, error=told.message)
        run.state, run.error = FAILED, told.message
