"""Something that may fail for a while -> tried again until it works, or time is up; the sinks that
go over a network send by it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina

T = TypeVar("T")

logging.getLogger("stamina").addHandler(logging.NullHandler())  # else it wrote to standard error

PAUSE_SECONDS = 30.0
"""Seconds after a failure in which a sink is tried once and no more: findings go on to others."""


class TryAgainError(Exception):
    """What was tried may work in a while: the other side is busy, or not there."""


class GiveUpError(Exception):
    """What was tried will not work by trying again: it was refused."""


@dataclass
class Patience:
    """How often a sink is tried: ``attempts`` in ``seconds``, further and further apart."""

    attempts: int = 6
    seconds: float = 30.0
    first_wait: float = 0.2
    most_wait: float = 8.0
    clock: Callable[[], float] = time.monotonic
    _failed: float | None = None

    def try_until(self, action: Callable[[], T]) -> T:
        """What an action gives. It is tried again while it raises ``TryAgainError``; the last of
        them is raised. Soon after a failure it is tried only once.

        >>> Patience().try_until(lambda: 5)
        5
        """
        recent = self._failed is not None and self.clock() - self._failed < PAUSE_SECONDS
        try:
            for attempt in stamina.retry_context(
                on=TryAgainError,
                attempts=1 if recent else self.attempts,
                timeout=self.seconds,
                wait_initial=self.first_wait,
                wait_max=self.most_wait,
            ):
                with attempt:
                    result = action()
        except TryAgainError:
            self._failed = self.clock()
            raise
        self._failed = None
        return result
