"""Half-open time ranges in epoch seconds, and the one way Escudo prints a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class TimeRange:
    """``earliest <= _time < latest`` in epoch seconds (UTC); None is unbounded.

    Half-open as in Splunk (Search Manual, time modifiers).

    >>> TimeRange(0, 10) & TimeRange(5, None)
    TimeRange(earliest=5, latest=10)
    """

    earliest: float | None = None
    latest: float | None = None

    def __and__(self, other: TimeRange) -> TimeRange:
        starts = [t for t in (self.earliest, other.earliest) if t is not None]
        ends = [t for t in (self.latest, other.latest) if t is not None]
        return TimeRange(max(starts, default=None), min(ends, default=None))

    def overlaps(self, low: float, high: float) -> bool:
        """Whether a closed interval of times [low, high] has a point in the range."""
        return (self.earliest is None or high >= self.earliest) and (
            self.latest is None or low < self.latest
        )


ALL_TIME = TimeRange()


def iso_utc(epoch: float) -> str:
    """Epoch seconds as ISO-8601 UTC with milliseconds.

    >>> iso_utc(1602155026.6179)
    '2020-10-08T11:03:46.617Z'
    """
    millis = math.floor(epoch * 1000 + 1e-6)
    whole, ms = divmod(millis, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"
