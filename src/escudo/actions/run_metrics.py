"""What workers of a schedule do -> metrics; ``escudo run`` gives it to ``run_daemon``."""

from __future__ import annotations

from escudo.core.metrics import Metrics
from escudo.schedule.database import State
from escudo.schedule.status import read_status
from escudo.schedule.worker import Step


class RunMeter:
    """Counts steps. ``metrics`` is None where nobody wants any."""

    def __init__(self, metrics: Metrics | None, state: State) -> None:
        self._metrics = metrics
        self._state = state

    def count_step(self, step: Step, now: float) -> None:
        """Counts a step that did something; gaps and lag are those of the state, whichever worker
        is at fault."""
        if self._metrics is None:
            return
        self._metrics.windows.labels("done").inc(step.windows - step.failed)
        self._metrics.windows.labels("failed").inc(step.failed)
        self._metrics.windows.labels("skipped").inc(step.missed)
        self._metrics.failed_detections.inc(step.failed)
        for seconds in step.run_seconds:
            self._metrics.window_seconds.observe(seconds)
        status = read_status(self._state, now=now)
        self._metrics.gaps.set(status.missed)
        self._metrics.window_lag.set(status.lag)
