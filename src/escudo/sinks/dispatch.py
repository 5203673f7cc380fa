"""Findings -> all sinks at once, and what one did not take -> the dead-letter file; actions send by
it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from escudo.core.event_log import log_event
from escudo.sinks.dead_letters import DeadLetters
from escudo.sinks.sink import Delivery, Failure, Finding, Sink


class Dispatcher:
    """Sends findings to some sinks, each in a thread of its own. Use it in a ``with`` block.

    What a sink does not take is kept as dead letters. ``tell`` is called for each sink and batch,
    with the seconds that it took. At the end of the block the sinks are closed.

    >>> with Dispatcher([]) as dispatcher:
    ...     dispatcher.send([{"finding_id": "1"}])
    []
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        dead_letters: Path | None = None,
        tell: Callable[[Sink, Delivery, float], None] = lambda _sink, _delivery, _seconds: None,
    ) -> None:
        self.sinks = sinks
        self._dead = None if dead_letters is None else DeadLetters(dead_letters)
        self._tell = tell
        self._threads = ThreadPoolExecutor(max(1, len(sinks)), "escudo-sink")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for sink in self.sinks:
            sink.close()

    def send(self, findings: Sequence[Finding]) -> list[Delivery]:
        """Hands findings to every sink; what became of it, in the order of the sinks.

        Raises:
            EscudoError: SYS002 where dead letters cannot be kept: then nothing may count as sent.
        """
        if not findings or not self.sinks:
            return []
        begun = [(sink, self._threads.submit(send_safely, sink, findings)) for sink in self.sinks]
        deliveries = []
        for sink, future in begun:
            delivery, seconds = future.result()
            self._settle(sink, delivery, seconds)
            deliveries.append(delivery)
        return deliveries

    def offer(self, sink: Sink, findings: Sequence[Finding]) -> Delivery:
        """Hands findings to one sink. Where it takes none of them nothing is kept or told: they are
        to be offered again.

        Raises:
            EscudoError: as ``send``.
        """
        delivery, seconds = send_safely(sink, findings)
        if delivery.sent or delivery.complete:
            self._settle(sink, delivery, seconds)
        return delivery

    def _settle(self, sink: Sink, delivery: Delivery, seconds: float) -> None:
        log_event(
            "sent",
            sink=sink.name,
            findings=delivery.sent,
            failed=delivery.failed or None,
            seconds=round(seconds, 3),
        )
        if self._dead is not None and not delivery.complete:
            self._dead.keep(sink.name, delivery.failures)
        self._tell(sink, delivery, seconds)


def send_safely(sink: Sink, findings: Sequence[Finding]) -> tuple[Delivery, float]:
    """A delivery and its seconds; a fault of a sink is a failure, and none of the others."""
    begun = time.monotonic()
    try:
        delivery = sink.send(findings)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        delivery = Delivery(0, (Failure(tuple(findings), reason),))
    return delivery, time.monotonic() - begun
