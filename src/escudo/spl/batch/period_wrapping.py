"""A table over time -> the same with a column for each series and period, for ``timewrap``."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from math import ceil
from typing import Any

import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.spl.relation.zones import find_time, read_clock
from escudo.spl.syntax.spans import MONTHS, SECONDS, BinSpan, is_of_calendar

MOST_SERIES = 10_000
"""Columns that are made at most: more is a span that was not meant."""

_WORDS = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mon": "month",
    "q": "quarter",
    "y": "year",
}


@dataclass(frozen=True)
class Wrapping:
    """How periods are cut and named.

    Periods are ``span`` long and end at ``end`` (epoch seconds). ``series`` is ``relative``,
    ``short`` or ``exact``; ``time_format`` is what strftime makes of an exact period's begin.
    Periods of days and longer are those of the clock of ``zone``.
    """

    span: BinSpan
    end: float
    series: str = "relative"
    time_format: str = "%F"
    zone: tzinfo = UTC

    def table(self, found: pa.Table) -> pa.Table:
        """Rows at the times of the latest period, each series once for each period.

        >>> day = 86400.0
        >>> t = pa.table({"_time": [0.0, day, 2 * day, 3 * day], "count": [1, 2, 3, 4]})
        >>> Wrapping(BinSpan(2.0, "d"), 4 * day).table(t).to_pylist()
        ... # doctest: +NORMALIZE_WHITESPACE
        [{'_time': 172800.0, '2days_before': 1, 'latest_2days': 3},
         {'_time': 259200.0, '2days_before': 2, 'latest_2days': 4}]
        """
        if self.zone is not UTC and is_of_calendar(self.span):
            # The seconds of a clock are wrapped as those of UTC are.
            by_clock = replace(self, end=read_clock(self.end, self.zone), zone=UTC)
            wrapped = by_clock.table(_move_times(found, read_clock, self.zone))
            return _move_times(wrapped, find_time, self.zone)
        data = [n for n in found.column_names if not n.startswith("_")]
        times = found["_time"].to_pylist()
        at = [None if t is None else self._period(t) for t in times]
        periods = sorted({p for p in at if p is not None}, reverse=True)
        if len(periods) * len(data) > MOST_SERIES:
            raise EscudoError(
                "SPL326",
                f"timewrap would make {len(periods) * len(data):,} series",
                hint="choose a longer span, or a shorter time range",
            )
        cells: dict[float, dict[int, int]] = {}
        for i, (time, period) in enumerate(zip(times, at, strict=True)):
            if time is not None and period is not None:
                cells.setdefault(self._shifted(time, period), {})[period] = i
        rows = sorted(cells)
        columns: dict[str, pa.Array] = {"_time": pa.array(rows, pa.float64())}
        for name in data:
            values = found[name].to_pylist()
            for period in periods:
                shown = self._name(period)
                title = shown if len(data) == 1 else f"{name}_{shown}"
                picked = [cells[row].get(period) for row in rows]
                taken = [None if i is None else values[i] for i in picked]
                columns[title] = pa.array(taken, found.schema.field(name).type)
        return pa.table(columns)

    @property
    def _months(self) -> int:
        return MONTHS.get(self.span.unit or "s", 0) * int(self.span.size)

    @property
    def _seconds(self) -> float:
        return SECONDS.get(self.span.unit or "s", 1.0) * self.span.size

    def _period(self, time: float) -> int:
        """How many periods before the latest one a time is; times after the end are its own."""
        if not self._months:
            return max(0, ceil((self.end - time) / self._seconds) - 1)
        first, last = _utc(time), _utc(self.end)
        between = (last.year - first.year) * 12 + last.month - first.month
        period = max(0, between // self._months - 1)
        while time < _add_months(self.end, -(period + 1) * self._months):
            period += 1
        return period

    def _shifted(self, time: float, period: int) -> float:
        """A time of a period as the time of the latest one."""
        if self._months:
            return _add_months(time, period * self._months)
        return time + period * self._seconds

    def _name(self, period: int) -> str:
        size, unit = int(self.span.size), _WORDS.get(self.span.unit or "s", "second")
        if self.series == "short":
            return f"s{period}"
        if self.series == "exact":
            begin = self._begin(period)
            at = datetime.fromtimestamp(begin, self.zone)
            return at.strftime(self.time_format) or f"s{period}"
        if period == 0:
            return f"latest_{unit}" if size == 1 else f"latest_{size}{unit}s"
        count = size * period
        return f"{count}{unit}{'' if count == 1 else 's'}_before"

    def _begin(self, period: int) -> float:
        """The begin of a period."""
        if self._months:
            return _add_months(self.end, -(period + 1) * self._months)
        return self.end - (period + 1) * self._seconds


def _move_times(rows: pa.Table, move: Callable[[float, tzinfo], float], zone: tzinfo) -> pa.Table:
    """The rows with their times moved to a clock, or back."""
    times = [None if t is None else move(t, zone) for t in rows["_time"].to_pylist()]
    place = rows.column_names.index("_time")
    return rows.set_column(place, "_time", pa.array(times, pa.float64()))


def _utc(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def _add_months(time: float, months: int) -> float:
    """A time so many months later, on the last day of a month that is too short."""
    at = _utc(time)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    year = min(max(year, 1), 9999)
    day = min(at.day, monthrange(year, month + 1)[1])
    moved: Any = at.replace(year=year, month=month + 1, day=day)
    return float(moved.timestamp())
