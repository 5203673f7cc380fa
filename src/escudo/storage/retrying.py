"""A request that may fail for a while -> its answer; buckets, and logs of tables in them, call it.

Imported when something is asked of a storage elsewhere, since stamina takes a while.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import stamina

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds in which a failing request is made again."""

logging.getLogger("stamina").addHandler(logging.NullHandler())  # else it wrote to standard error


def ask_again(
    request: Callable[[], T],
    may_work_later: Callable[[Exception], bool],
    *,
    attempts: int,
    patience: float = PATIENCE,
) -> T:
    """What a request gives. One that raises what may work later is made again, with growing pauses.

    Args:
        request: can be made any number of times.
        may_work_later: whether an exception is one that goes away.
        attempts: how often at most.
        patience: seconds after which no further attempt begins.

    >>> ask_again(lambda: 5, lambda error: True, attempts=2)
    5
    """
    for attempt in stamina.retry_context(
        on=may_work_later, attempts=attempts, timeout=patience, wait_max=10.0
    ):
        with attempt:
            return request()
    raise AssertionError("unreachable")
