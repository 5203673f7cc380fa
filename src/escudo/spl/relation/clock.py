"""The time of a search, which knows whether it was asked, and its time zone; the binder hands them
out.

A condition that holds a time counted from now is true of one run only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo


@dataclass
class Clock:
    """``time`` is the time of the search in epoch seconds, ``zone`` whose days it is about.

    >>> clock = Clock(5.0)
    >>> clock.read(), clock.was_read
    (5.0, True)
    """

    time: float
    zone: tzinfo = UTC
    was_read: bool = False

    def read(self) -> float:
        """The time, for something that the rows or a condition depend on."""
        self.was_read = True
        return self.time
