"""A sink -> the same, as a worker's outbox sends to it; called by ``escudo run``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from escudo.core.errors import EscudoError
from escudo.sinks import Delivery, Sink
from escudo.sinks.dead_letters import DeadLetters


class OutboxSink:
    """Raises SNK006 where nothing of a batch was taken: it stays in the outbox, and is tried again.

    What a sink refuses out of a batch of which it takes the rest is kept as dead letters: it would
    be refused again. ``tell`` is called for each delivery, with the seconds that it took.
    """

    def __init__(
        self,
        sink: Sink,
        dead_letters: DeadLetters,
        tell: Callable[[Sink, Delivery, float], None] = lambda _sink, _delivery, _seconds: None,
    ) -> None:
        self._sink = sink
        self._dead = dead_letters
        self._tell = tell

    @property
    def name(self) -> str:
        return self._sink.name

    def send(self, findings: Sequence[Mapping[str, Any]], /) -> None:
        begun = time.monotonic()
        delivery = self._sink.send(findings)
        if not delivery.complete and not delivery.sent:
            raise EscudoError("SNK006", f"{self.name}: {delivery.failures[0].reason}")
        if not delivery.complete:
            self._dead.keep(self.name, delivery.failures)
        self._tell(self._sink, delivery, time.monotonic() - begun)
