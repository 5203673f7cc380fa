"""Seconds since the epoch <-> seconds of a time zone's clock, in SQL and of a number; what cuts or
writes times by days calls it.

The seconds of a clock are those since 1970-01-01 00:00 on it: its days begin at multiples of
86,400. An hour that a clock has twice is its first one.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from sqlglot import exp

from escudo.spl.relation.sql import literal_text, prelude_call


def to_clock(seconds: exp.Expression, zone: tzinfo) -> exp.Expression:
    """The seconds of a zone's clock at a time; UTC's are the time itself.

    >>> from zoneinfo import ZoneInfo
    >>> to_clock(exp.column("t"), ZoneInfo("Europe/Berlin")).sql()
    "SPL_TO_CLOCK(t, 'Europe/Berlin')"
    """
    if zone is UTC:
        return seconds
    return prelude_call("spl_to_clock", seconds, literal_text(str(zone)))


def from_clock(seconds: exp.Expression, zone: tzinfo) -> exp.Expression:
    """The time at which a zone's clock has these seconds."""
    if zone is UTC:
        return seconds
    return prelude_call("spl_from_clock", seconds, literal_text(str(zone)))


def read_clock(at: float, zone: tzinfo) -> float:
    """``to_clock`` of a number.

    >>> from zoneinfo import ZoneInfo
    >>> read_clock(0.0, ZoneInfo("Europe/Berlin")), find_time(3600.0, ZoneInfo("Europe/Berlin"))
    (3600.0, 0.0)
    """
    if zone is UTC:
        return at
    return datetime.fromtimestamp(at, zone).replace(tzinfo=UTC).timestamp()


def find_time(seconds: float, zone: tzinfo) -> float:
    """``from_clock`` of a number."""
    if zone is UTC:
        return seconds
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=zone).timestamp()
