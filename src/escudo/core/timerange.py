"""Half-open time ranges in epoch seconds, and the ways Escudo prints a time: in UTC for machines,
in the time zone that a person asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


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
    return f"{datetime.fromtimestamp(whole, UTC).isoformat()[:19]}.{ms:03d}Z"


def iso_zoned(epoch: float, zone: tzinfo) -> str:
    """Epoch seconds as ISO-8601 with milliseconds and the zone's offset; UTC's is ``Z``.

    >>> from zoneinfo import ZoneInfo
    >>> iso_zoned(1602155026.6179, ZoneInfo("Europe/Berlin"))
    '2020-10-08T13:03:46.617+02:00'
    """
    if zone is UTC:
        return iso_utc(epoch)
    millis = math.floor(epoch * 1000 + 1e-6)
    whole, ms = divmod(millis, 1000)
    at = datetime.fromtimestamp(whole, zone)
    return at.replace(microsecond=ms * 1000).isoformat(timespec="milliseconds")
