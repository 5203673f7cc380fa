"""What workers of a schedule do -> metrics; given to ``run_daemon`` and to sinks by ``escudo
run``."""

from __future__ import annotations

from escudo.actions.follow_metrics import count_delivery
from escudo.core.metrics import Metrics
from escudo.schedule.database import State
from escudo.schedule.status import read_status
from escudo.schedule.worker import Step
from escudo.sinks import Delivery, Sink


class RunMeter:
    """Counts steps and deliveries. ``metrics`` is None where nobody wants any."""

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
        status = read_status(self._state, now=now)
        self._metrics.gaps.set(status.missed)
        self._metrics.window_lag.set(status.lag)

    def count_delivery(self, sink: Sink, delivery: Delivery, seconds: float) -> None:
        """Counts what became of findings at a sink."""
        if self._metrics is not None:
            count_delivery(self._metrics, sink, delivery, seconds=seconds)
