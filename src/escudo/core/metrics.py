"""What is counted while Escudo runs for long, for Prometheus; what follows inputs or runs schedules
makes one, and gives it to what counts.

Names of hosts, users and files are no labels: they would be as many as an attacker likes.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)

from escudo.core.errors import EscudoError

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Bounds of the buckets of times: a finding is meant to be there 5 s after its event."""


class Metrics:
    """The metrics of one process, in a registry of their own.

    >>> metrics = Metrics()
    >>> metrics.events.labels("sysmon").inc(3)
    >>> metrics.registry.get_sample_value("escudo_ingested_events_total", {"family": "sysmon"})
    3.0
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        count = partial(Counter, registry=self.registry)
        measure = partial(Gauge, registry=self.registry)
        time = partial(Histogram, buckets=_SECONDS, registry=self.registry)
        # ingest
        self.events = count("escudo_ingested_events", "Events that are in the lake.", ["family"])
        self.rejected = count("escudo_rejected_inputs", "Inputs that gave no event.")
        self.commits = count("escudo_ingest_commits", "Commits of events.")
        self.last_commit = measure(
            "escudo_ingest_last_commit_timestamp_seconds", "When events were committed last."
        )
        self.behind = measure("escudo_input_behind_bytes", "Bytes of followed files not read yet.")
        self.received_bytes = measure(
            "escudo_received_waiting_bytes",
            "Bytes that senders brought and that wait for a commit.",
        )
        self.turned_away = count(
            "escudo_received_turned_away",
            "Requests of senders that were told to come again, since too much waits.",
        )
        # detections
        self.waiting = measure(
            "escudo_batches_waiting", "Committed batches that wait for detections."
        )
        self.search_seconds = time(
            "escudo_batch_search_seconds", "Seconds that detections took over what had come."
        )
        self.arrival_seconds = time(
            "escudo_arrival_to_finding_seconds",
            "Seconds from reading the oldest event of a batch until it was searched.",
        )
        self.findings = count(
            "escudo_findings", "Rows that detections found.", ["severity", "type"]
        )
        self.failed_detections = count(
            "escudo_failed_detections", "Runs of detections that failed."
        )
        # windows of schedules
        self.windows = count(
            "escudo_windows",
            "Windows of schedules by how they ended: done, failed, skipped.",
            ["outcome"],
        )
        self.gaps = measure("escudo_window_gaps", "Windows that are due and were not run.")
        self.window_lag = measure(
            "escudo_window_lag_seconds", "Age of the oldest window that is due."
        )
        self.window_seconds = time(
            "escudo_window_seconds", "Seconds that windows took that were run together."
        )
        # sinks
        self.sent = count("escudo_sink_findings", "Findings that a sink took.", ["sink"])
        self.refused = count(
            "escudo_sink_dead_letters",
            "Findings that a sink did not take; they are dead letters.",
            ["sink"],
        )
        self.sink_seconds = time(
            "escudo_sink_seconds", "Seconds of a delivery, with all its attempts.", ["sink"]
        )
        # the lake
        self.maintenance = count(
            "escudo_maintenance_runs",
            "Runs of maintenance by what was done: compact, expire, vacuum, failed.",
            ["task"],
        )
        self.freed = count("escudo_maintenance_freed_bytes", "Bytes that maintenance freed.")


@contextmanager
def serve_metrics(metrics: Metrics, place: str) -> Iterator[int]:
    """Serves metrics at ``HOST:PORT`` (``/metrics``) while the block lasts; gives the port: a free
    one for port 0.

    >>> with serve_metrics(Metrics(), "127.0.0.1:0") as port:
    ...     port > 0
    True

    Raises:
        EscudoError: SYS007 for a place that is none, or is taken.
    """
    host, port = parse_place(place)
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except (OSError, UnicodeError) as error:
        told = getattr(error, "strerror", None) or "that is no host"
        raise EscudoError("SYS007", f"{place}: {told}") from error
    try:
        yield server.server_port
    finally:
        _end(server, thread)


def parse_place(place: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``; without a host it is this machine alone.

    >>> parse_place("[::1]:9108"), parse_place("9108")
    (('::1', 9108), ('127.0.0.1', 9108))
    """
    host, _, port = place.rpartition(":")
    if not re.fullmatch(r"\d{1,5}", port, re.ASCII) or int(port) > 65535:
        raise EscudoError("SYS007", f"{place!r} is no HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def _end(server: WSGIServer, thread: threading.Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join(timeout=2)
