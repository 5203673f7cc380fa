"""A schedule of content -> when its search is due, and the window of each run; planning and
back-filling call it.

Cron is read in one time zone (UTC unless the run says otherwise), windows are UTC's. A window
depends on when its run is due and on nothing else: a run that begins late, or anew, sees the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from cronsim import CronSim, CronSimError

from escudo.content.elements.common import Schedule
from escudo.core.errors import EscudoError
from escudo.core.timerange import TimeRange
from escudo.spl import parse_time

_SOME_TIME = 1_600_000_000.0


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a search is due: at the times of ``cron``, each ``offset`` seconds later.

    ``earliest`` and ``latest`` are relative times; empty text is unbounded. ``zone`` is cron's.
    """

    cron: str
    earliest: str
    latest: str
    offset: float = 0.0
    zone: tzinfo = UTC

    def list_due(self, after: float, until: float) -> list[float]:
        """The times at which the search is due, ``after < due <= until``.

        >>> Timetable("0 * * * *", "-70m@m", "-10m@m").list_due(0, 7200)
        [3600.0, 7200.0]
        """
        out = []
        for due in self._walk(after):
            if due > until:
                break
            out.append(due)
        return out

    def find_next(self, after: float) -> float | None:
        """When the search is due next; None where that never comes."""
        return next(self._walk(after), None)

    def find_last(self, now: float) -> float | None:
        """When the search was due last, now counted.

        >>> Timetable("0 * * * *", "", "").find_last(7300)
        7200.0
        """
        at = datetime.fromtimestamp(now - self.offset + 60, self.zone)
        for earlier in CronSim(self.cron, at, reverse=True):
            due = earlier.timestamp() + self.offset
            if due <= now:
                return due
        return None

    def find_window(self, due: float) -> TimeRange:
        """What a run looks at.

        >>> Timetable("0 * * * *", "-70m@m", "-10m@m").find_window(7200)
        TimeRange(earliest=3000.0, latest=6600.0)
        """
        return _find_window(self.earliest, self.latest, due)

    def _walk(self, after: float) -> Iterator[float]:
        begin = datetime.fromtimestamp(after - self.offset, self.zone)
        for at in CronSim(self.cron, begin):
            due = at.timestamp() + self.offset
            if due > after:
                yield due


@lru_cache(maxsize=4096)
def _find_window(earliest: str, latest: str, due: float) -> TimeRange:
    return TimeRange(
        parse_time(earliest, due) if earliest else None, parse_time(latest, due) if latest else None
    )


def read_timetable(
    schedule: Schedule, *, identity: str, zone: tzinfo = UTC, skew: float = 0.0
) -> Timetable:
    """The timetable of a schedule.

    Args:
        identity: the search; with ``skew`` it decides how much later than cron it is due, the same
            each time.
        zone: of the cron line.
        skew: the share of its period, from 0 to 1, over which a search may be moved.

    Raises:
        EscudoError: SCH004 where the cron line or a time cannot be read, or the window ends
            before it begins.
    """
    timetable = Timetable(schedule.cron.strip(), schedule.earliest, schedule.latest, zone=zone)
    try:
        dues = timetable._walk(_SOME_TIME)
        first = next(dues, None)
        second = next(dues, None)
        window = timetable.find_window(_SOME_TIME)
    except (CronSimError, EscudoError) as error:
        told = error.diagnostic.message if isinstance(error, EscudoError) else str(error)
        raise EscudoError("SCH004", f"{schedule.cron!r}: {told}") from error
    if first is None:
        raise EscudoError("SCH004", f"{schedule.cron!r} is never due")
    ends = window.earliest, window.latest
    if ends[0] is not None and ends[1] is not None and ends[0] >= ends[1]:
        message = f"the window from {schedule.earliest!r} to {schedule.latest!r} is empty"
        raise EscudoError("SCH004", message)
    if not skew or second is None:
        return timetable
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    offset = float(int(share * skew * (second - first)))
    return Timetable(timetable.cron, schedule.earliest, schedule.latest, offset, zone)
