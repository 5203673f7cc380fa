"""A time or a number in SQL -> the start or the text of its bucket; ``bin``, ``BY _time span=...``
and ``timechart`` call it.

Times are cut in UTC, or by the clock of the search's time zone where a span is one of its days or
longer. Spans of months, quarters and years begin at a calendar month, others count
from the epoch (a week therefore begins on a Thursday) unless ``aligntime`` or a snap says
otherwise. Numbers become the text of their range, ``20-30`` (Search Reference, bin).
"""

from __future__ import annotations

import math
from datetime import UTC, tzinfo

from sqlglot import exp

from escudo.core.timerange import TimeRange
from escudo.spl.relation.sql import (
    divided_by,
    literal_integer,
    literal_number,
    literal_text,
    minus,
    parenthesise,
    plus,
    prelude_call,
    times,
)
from escudo.spl.relation.zones import from_clock, to_clock
from escudo.spl.syntax.spans import MONTHS, SECONDS, BinSpan, is_of_calendar, snap_offset

DEFAULT_BINS = 100

_STEPS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 86400)
"""Spans, in seconds, that are chosen where none is given (Search Reference, timechart: default
time span)."""


def floor_time(
    time: exp.Expression, span: BinSpan, align: float = 0.0, zone: tzinfo = UTC
) -> exp.Expression:
    """The start of the bucket of a time, epoch seconds in and out; days are those of the zone.

    >>> floor_time(exp.column("t"), BinSpan(1.0, "h")).sql("duckdb")
    'SPL_FLOOR(t / 3600e0) * 3600e0'
    """
    if zone is not UTC and is_of_calendar(span) and not align:
        return from_clock(floor_time(to_clock(time, zone), span), zone)
    if span.unit in MONTHS:
        months = literal_integer(int(span.size) * MONTHS[span.unit])
        return prelude_call("spl_month_bin", time, months)
    width = span.size * SECONDS[span.unit or "s"]
    offset = align + snap_offset(span)
    return floor_number(time, width, offset)


def floor_number(value: exp.Expression, width: float, offset: float = 0.0) -> exp.Expression:
    """``floor((value - offset) / width) * width + offset``."""
    shifted = value
    if offset:
        shifted = minus(parenthesise(value), literal_number(offset))
    step = divided_by(parenthesise(shifted), literal_number(width))
    start = times(prelude_call("spl_floor", step), literal_number(width))
    return plus(start, literal_number(offset)) if offset else start


def choose_span(within: TimeRange, bins: int, least: float = 0.0) -> BinSpan:
    """The narrowest usual span that cuts a bounded range into at most so many buckets.

    >>> choose_span(TimeRange(0, 3600), 100).format()
    '60s'
    >>> choose_span(TimeRange(0, 86400 * 365), 100).format()
    '1mon'
    """
    assert within.earliest is not None
    assert within.latest is not None
    length = within.latest - within.earliest
    for step in _STEPS:
        if step >= least and length / step <= bins:
            return BinSpan(float(step), "s") if step < 86400 else BinSpan(1.0, "d")
    return BinSpan(1.0, "mon")


def choose_width(low: float, high: float, bins: int, least: float = 0.0) -> float:
    """The smallest power of ten that cuts numbers into at most so many ranges.

    >>> choose_width(100, 4000, 10)
    1000.0
    """
    length = max(high - low, 0.0) or 1.0
    width = 10.0 ** math.floor(math.log10(length / bins))
    while width < least or math.floor(high / width) - math.floor(low / width) + 1 > bins:
        width *= 10
    return width


def write_range(value: exp.Expression, width: float, offset: float = 0.0) -> exp.Expression:
    """The range of a number as text: ``20-30``."""
    low = floor_number(value, width, offset)
    return _write_bounds(low, plus(parenthesise(low.copy()), literal_number(width)))


def write_log_range(value: exp.Expression, span: BinSpan) -> exp.Expression:
    """The logarithmic range of a positive number: bounds ``size * base^k``."""
    assert span.log_base is not None
    base = literal_number(span.log_base)
    size = literal_number(span.size)
    ratio = divided_by(parenthesise(value), size)
    power = prelude_call("spl_floor", prelude_call("spl_log", ratio, base.copy()))
    low = times(prelude_call("spl_pow", base.copy(), power), size.copy())
    return _write_bounds(low, times(parenthesise(low.copy()), base.copy()))


def _write_bounds(low: exp.Expression, high: exp.Expression) -> exp.Expression:
    dash = literal_text("-")
    left = exp.DPipe(this=prelude_call("spl_text", low), expression=dash)
    return exp.DPipe(this=left, expression=prelude_call("spl_text", high))
