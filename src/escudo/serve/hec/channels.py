"""Receipts -> ids by channel, as Splunk's indexer acknowledgement has them; ``collector`` calls it.

A channel counts from 0. An id that was told to be acknowledged is forgotten, and so is a channel
that nobody has used for a while.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from escudo.inputs.receiver import Receipt

MOST_CHANNELS = 10_000
MOST_WAITING = 100_000
"""Acknowledgements of one channel that nobody has asked for."""
IDLE_SECONDS = 600.0
"""Seconds (Splunk's ``maxIdleTime``) after which a channel that nobody uses is forgotten."""


@dataclass(slots=True)
class _Channel:
    used: float
    next: int = 0
    waiting: dict[int, Receipt] = field(default_factory=dict)


class Channels:
    """The channels of all tokens.

    >>> from escudo.inputs.receiver import Receipt
    >>> channels, receipt = Channels(), Receipt()
    >>> channels.add(1, "c", receipt), channels.ask(1, "c", [0])
    (0, {0: False})
    >>> receipt.done.set_result(None)
    >>> channels.ask(1, "c", [0]), channels.ask(1, "c", [0])
    ({0: True}, {0: False})
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._channels: OrderedDict[tuple[int, str], _Channel] = OrderedDict()

    def has_room(self, token: int, channel: str) -> bool:
        """Whether one more can be waited for."""
        with self._lock:
            self._forget_idle()
            known = self._channels.get((token, channel))
            if known is None:
                return len(self._channels) < MOST_CHANNELS
            return len(known.waiting) < MOST_WAITING

    def add(self, token: int, channel: str, receipt: Receipt) -> int:
        """The id that the sender may ask for."""
        with self._lock:
            known = self._use(token, channel)
            number, known.next = known.next, known.next + 1
            known.waiting[number] = receipt
            return number

    def ask(self, token: int, channel: str, numbers: Sequence[int]) -> dict[int, bool]:
        """Which of some ids are acknowledged now. Those that are not known are not."""
        told: dict[int, bool] = {}
        done: list[Receipt] = []
        with self._lock:
            known = self._channels.get((token, channel))
            if known is not None:
                known = self._use(token, channel)
            for number in numbers:
                receipt = None if known is None else known.waiting.get(number)
                durable = receipt is not None and receipt.durable
                told[number] = told.get(number, False) or durable
                if durable and known is not None and receipt is not None:
                    del known.waiting[number]
                    done.append(receipt)
        for receipt in done:
            receipt.answered()
        return told

    def _use(self, token: int, channel: str) -> _Channel:
        known = self._channels.setdefault((token, channel), _Channel(0.0))
        known.used = self._clock()
        self._channels.move_to_end((token, channel))
        return known

    def _forget_idle(self) -> None:
        before = self._clock() - IDLE_SECONDS
        while self._channels:
            name, oldest = next(iter(self._channels.items()))
            if oldest.used >= before:
                return
            del self._channels[name]
