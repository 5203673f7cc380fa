"""Seconds since the epoch <-> seconds of a time zone's clock, in SQL; what cuts or writes times by
days calls it.

The seconds of a clock are those since 1970-01-01 00:00 on it: its days begin at multiples of
86,400. An hour that a clock has twice is its first one.
"""

from __future__ import annotations

from datetime import UTC, tzinfo

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
