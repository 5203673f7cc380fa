"""What time it is, and waiting; workers are given one, so that a month can pass in a test."""

from __future__ import annotations

import time
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """Tells the time by which searches are due, in epoch seconds."""

    def now(self) -> float: ...

    def wait(self, seconds: float, stop: Event) -> bool:
        """Lets so much time pass, or less if ``stop`` is set; whether it is."""
        ...


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        return time.time()

    def wait(self, seconds: float, stop: Event) -> bool:
        return stop.wait(seconds)


class SteppedClock:
    """Stands still until it is set, or until somebody waits.

    >>> clock = SteppedClock(100.0)
    >>> clock.wait(60, Event()), clock.now()
    (False, 160.0)
    """

    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: Event) -> bool:
        if not stop.is_set():
            self.time += seconds
        return stop.is_set()
