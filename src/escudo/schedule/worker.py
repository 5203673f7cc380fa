"""Content, a lake, a state, the time -> all that is due has run; ``actions.run`` calls it again and
again.

Kill it at any moment: what it had claimed is taken over, and what it had written is known. The
order that makes this so: a claim in the state; the lake's commit, which adds only rows whose hash
is new to it; the state's transaction that says the window has run and puts its findings into the
outbox.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import log_event
from escudo.schedule.claims import Batch, Claims
from escudo.schedule.database import State
from escudo.schedule.delivery import register_sinks, send_waiting
from escudo.schedule.late_data import reopen_windows
from escudo.schedule.planned_search import PlannedSearch
from escudo.schedule.planning import Planned, plan_windows
from escudo.schedule.window_runs import Equipment, WindowsLeftError, run_windows
from escudo.sinks.dispatch import Dispatcher


@dataclass(slots=True)
class Step:
    """What a worker did at one time. ``held_up``: windows are due that others have, or that wait
    for those; ``next_due`` is when the next search is."""

    planned: int = 0
    missed: int = 0
    reopened: int = 0
    windows: int = 0
    failed: int = 0
    rows: int = 0
    risk_events: int = 0
    findings: int = 0
    throttled: int = 0
    suppressed: int = 0
    sent: int = 0
    run_seconds: list[float] = field(default_factory=list)
    """How long each batch of windows took that were run together."""
    held_up: bool = False
    next_due: float | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.planned or self.missed or self.reopened or self.windows or self.sent)


class Worker:
    """One of those who run what is due.

    Args:
        state: of the schedule; several workers may share it.
        searches: what to run. All workers of a state have the same.
        equipment: what to run it with.
        outlet: the sinks that get the findings; none without it.
        continuous: run all windows that were missed, not only the last one.
        whole: whether these are all searches that there are; those that the state has beside them
            are left alone where they are not.
        lease: seconds after which others take over what this worker has and does not renew.
        wall: the wall clock, in epoch seconds, by which leases run.
    """

    def __init__(
        self,
        state: State,
        searches: Sequence[PlannedSearch],
        equipment: Equipment,
        *,
        outlet: Dispatcher | None = None,
        continuous: bool = False,
        whole: bool = True,
        lease: float | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._searches = searches
        self._equipment = equipment
        self._outlet = outlet or Dispatcher([])
        self._continuous = continuous
        self._whole = whole
        self._claims = Claims(state) if lease is None else Claims(state, lease=lease)
        self._wall = wall
        self._planned: Planned | None = None
        self._planned_at: float | None = None
        register_sinks(state, self._outlet.sinks)
        self._alive_at = -math.inf
        self._say_alive()

    @property
    def token(self) -> str:
        """The name under which it works."""
        return self._claims.token

    def take_content(self, searches: Sequence[PlannedSearch], equipment: Equipment) -> None:
        """Works with other content from the next step on."""
        self._searches = searches
        self._equipment = equipment
        self._planned = None

    def step(self, now: float, stop: Event | None = None) -> Step:
        """Does all that there is to do at a time of the schedule's clock, in epoch seconds.

        Once ``stop`` is set, what is left is left for another time; ``leave`` gives it back.
        """
        stop = stop or Event()
        self._say_alive()
        done = Step()
        searches = self._plan(now, done)
        done.reopened = reopen_windows(self._state, self._equipment.lake)
        while (
            not stop.is_set()
            and (batch := self._claims.take(now, self._wall(), searches)) is not None
        ):
            try:
                self._run(batch, searches, done, now, stop)
            except WindowsLeftError:
                log_event("windows left", due=batch.due, windows=len(batch.windows))
                break
            # Risk that came late to a correlation's window opens it before later windows run.
            done.reopened += reopen_windows(self._state, self._equipment.lake)
        done.sent += self._send()
        done.held_up = self._claims.is_held_up(now, searches)
        return done

    def leave(self) -> None:
        """Gives back what it has claimed."""
        self._claims.leave()
        self._alive_at = -math.inf

    def _say_alive(self) -> None:
        """Tells it now and then: each time is a write to the disk."""
        wall = self._wall()
        if not 0 <= wall - self._alive_at < self._claims.lease / 3:
            self._claims.say_alive(wall)
            self._alive_at = wall

    def _plan(self, now: float, done: Step) -> Mapping[int, PlannedSearch]:
        known, at = self._planned, self._planned_at
        due = known is None or known.next_due is None or known.next_due <= now
        if known is None or at is None or due or now < at:
            known = plan_windows(
                self._state,
                self._searches,
                now,
                continuous=self._continuous,
                whole=self._whole,
            )
            done.planned, done.missed = known.windows, known.missed
            self._planned, self._planned_at = known, now
        done.next_due = known.next_due
        return known.searches

    def _run(
        self,
        batch: Batch,
        searches: Mapping[int, PlannedSearch],
        done: Step,
        now: float,
        stop: Event,
    ) -> None:
        begun = time.monotonic()
        with self._renewing():
            ran = run_windows(batch, searches, self._equipment, self._state, now=now, stop=stop)
        kept = self._claims.finish(batch, ran.outcomes, commit_id=ran.commit_id, ran=now)
        seconds = time.monotonic() - begun
        done.windows += len(kept)
        done.run_seconds.append(seconds)
        done.diagnostics += ran.diagnostics
        outcomes = [ran.outcomes[window] for window in kept]
        for outcome in outcomes:
            done.failed += outcome.code is not None
            done.rows += outcome.rows
            done.risk_events += outcome.risk_events
            done.findings += outcome.findings
            done.throttled += outcome.throttled
            done.suppressed += outcome.suppressed
        log_event(
            "windows",
            due=batch.due,
            windows=len(kept),
            findings=sum(o.findings for o in outcomes),
            failed=sum(o.code is not None for o in outcomes),
            seconds=round(seconds, 3),
        )

    def _send(self) -> int:
        if not self._outlet.sinks:
            return 0
        return send_waiting(self._state, self._outlet, worker=self.token, time=self._wall())

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        """Renews the claims for as long as a batch runs."""
        over = Event()

        def renew() -> None:
            while not over.wait(self._claims.lease / 3):
                try:
                    self._claims.say_alive(self._wall())
                except EscudoError as error:  # the next time may come before the lease is over
                    log_event("lease not renewed", level=logging.WARNING, error=error.code)

        thread = Thread(target=renew, name="escudo-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
