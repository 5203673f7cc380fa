"""What happens while inputs are followed -> metrics; given to ``follow_logs`` and a dispatcher by
``escudo follow``."""

from __future__ import annotations

import time
from collections.abc import Callable

from escudo.actions.follow import Arrival, FollowListener
from escudo.core.metrics import Metrics
from escudo.lake.report import IngestReport
from escudo.sinks import Delivery, Sink


class MeteredListener(FollowListener):
    """Counts what it is told, and tells another listener.

    Args:
        metrics: None where nobody wants any.
    """

    def __init__(self, metrics: Metrics | None, listener: FollowListener) -> None:
        self._metrics = metrics
        self._listener = listener

    def tell_ingested(self, report: IngestReport) -> None:
        self._listener.tell_ingested(report)
        if self._metrics is not None:
            for family, events in report.families.items():
                self._metrics.events.labels(family).inc(events)
            self._metrics.rejected.inc(report.rejected)
            self._metrics.commits.inc(report.commits)
            self._metrics.last_commit.set(time.time())

    def tell_behind(self, size: int) -> None:
        self._listener.tell_behind(size)
        if self._metrics is not None:
            self._metrics.behind.set(size)

    def tell_waiting(self, batches: int) -> None:
        self._listener.tell_waiting(batches)
        if self._metrics is not None:
            self._metrics.waiting.set(batches)

    def count_arrival(self, arrival: Arrival) -> None:
        """To be called for each arrival."""
        if self._metrics is None:
            return
        self._metrics.search_seconds.observe(arrival.search_seconds)
        self._metrics.arrival_seconds.observe(arrival.seconds)
        self._metrics.failed_detections.inc(len(arrival.diagnostics))
        for finding in arrival.findings:
            labels = (finding["severity"], finding["detection_type"])
            self._metrics.findings.labels(*labels).inc()


def count_deliveries(metrics: Metrics) -> Callable[[Sink, Delivery, float], None]:
    """What counts, for a dispatcher, what became of findings at a sink, and how long that took."""

    def count(sink: Sink, delivery: Delivery, seconds: float) -> None:
        metrics.sent.labels(sink.name).inc(delivery.sent)
        metrics.refused.labels(sink.name).inc(delivery.failed)
        metrics.sink_seconds.labels(sink.name).observe(seconds)

    return count
