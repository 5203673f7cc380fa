"""A lake, a policy -> maintenance every so often in a thread, beside what else is done; called by
``escudo follow``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from escudo.core.errors import Diagnostic
from escudo.core.event_log import log_event
from escudo.core.metrics import Metrics
from escudo.detect.attempt import attempt
from escudo.lake import Lake
from escudo.lake.policy import Policy, apply_policy

MAINTAIN_SECONDS = 600.0
"""Seconds from one maintenance to the next. A commit a second makes some thousand small files in
this time, which searches would have to open one by one."""


class Maintenance:
    """Maintains a lake until its ``with`` block ends.

    Args:
        every: seconds from the end of one run to the next; 0: never.
        clock: gives the time that ages are counted from (epoch seconds).
    """

    def __init__(
        self,
        lake: Lake,
        policy: Policy,
        *,
        every: float = MAINTAIN_SECONDS,
        metrics: Metrics | None = None,
        tell: Callable[[Diagnostic], None] = lambda _diagnostic: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lake = lake
        self._policy = policy
        self._every = every
        self._metrics = metrics
        self._tell = tell
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="escudo-maintain", daemon=True)

    def __enter__(self) -> Self:
        if self._every:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._every:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self.run_once()

    def run_once(self) -> None:
        """Maintains the lake now; what is wrong is told, and tried again the next time."""
        begun = time.monotonic()
        done = attempt(
            lambda: apply_policy(self._lake, self._policy, self._clock()), name="maintenance"
        )
        if isinstance(done, Diagnostic):
            self._count("failed")
            self._tell(done)
            return
        expired, merged = done
        freed = expired.freed + merged.freed
        self._count("vacuum")
        if expired.changes:
            self._count("expire")
        if merged.changes:
            self._count("compact")
        if self._metrics is not None:
            self._metrics.freed.inc(freed)
        log_event(
            "maintained",
            dropped=sum(c.rows_dropped for c in expired.changes),
            merged=sum(c.files_before - c.files_after for c in merged.changes),
            freed=freed,
            seconds=round(time.monotonic() - begun, 3),
        )

    def _count(self, task: str) -> None:
        if self._metrics is not None:
            self._metrics.maintenance.labels(task).inc()
