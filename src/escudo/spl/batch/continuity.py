"""Rows -> the same with the missing buckets: ``makecontinuous`` and ``timechart``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

import pyarrow as pa

from escudo.spl.batch.pivot import column
from escudo.spl.relation.values import is_numeric_text
from escudo.spl.relation.zones import find_time, read_clock
from escudo.spl.syntax.spans import MONTHS, SECONDS, BinSpan, is_of_calendar, snap_offset

MOST_BUCKETS = 50_000
"""Buckets that are made up at most."""


def bucket_start(at: float, span: BinSpan, zone: tzinfo = UTC) -> float:
    """The start of the bucket that a time or number lies in; days are those of the zone.

    >>> bucket_start(3700.0, BinSpan(1.0, "h")), bucket_start(86400.0 * 40, BinSpan(1.0, "mon"))
    (3600.0, 2678400.0)
    """
    if zone is not UTC and is_of_calendar(span):
        return find_time(bucket_start(read_clock(at, zone), span), zone)
    if span.unit in MONTHS:
        date = datetime.fromtimestamp(at, UTC)
        width = int(span.size) * MONTHS[span.unit]
        months = (date.year - 1970) * 12 + date.month - 1
        return _month(months // width * width)
    width_seconds = _width(span)
    offset = snap_offset(span)
    return math.floor((at - offset) / width_seconds) * width_seconds + offset


def next_start(start: float, span: BinSpan, zone: tzinfo = UTC) -> float:
    """The start of the bucket after one; days are those of the zone.

    >>> next_start(0.0, BinSpan(1.0, "mon"))
    2678400.0
    """
    if zone is not UTC and is_of_calendar(span):
        return find_time(next_start(read_clock(start, zone), span), zone)
    if span.unit in MONTHS:
        date = datetime.fromtimestamp(start, UTC)
        months = (date.year - 1970) * 12 + date.month - 1
        return _month(months + int(span.size) * MONTHS[span.unit])
    return start + _width(span)


def _width(span: BinSpan) -> float:
    return span.size * SECONDS[span.unit or "s"]


def _month(months: int) -> float:
    return datetime(1970 + months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp()


def buckets(low: float, high: float, span: BinSpan, zone: tzinfo = UTC) -> Iterator[float]:
    """The starts of all buckets from the one of ``low`` to the one of ``high``."""
    at = bucket_start(low, span, zone)
    for _ in range(MOST_BUCKETS):
        if at > high:
            return
        yield at
        at = next_start(at, span, zone)


def continuous(
    table: pa.Table,
    name: str,
    span: BinSpan,
    limits: tuple[float | None, float | None] = (None, None),
    zone: tzinfo = UTC,
) -> pa.Table:
    """A row for each bucket of a field, null in the other fields where there was none.

    >>> t = pa.table({"x": [0.0, 2.0], "n": [5, 6]})
    >>> continuous(t, "x", BinSpan(1.0)).to_pylist()
    [{'x': 0.0, 'n': 5}, {'x': 1.0, 'n': None}, {'x': 2.0, 'n': 6}]
    """
    if name not in table.column_names or not table.num_rows:
        return table
    keys = [_number(v) for v in table[name].to_pylist()]
    known = [k for k in keys if k is not None]
    if not known:
        return table
    low = min(known) if limits[0] is None else limits[0]
    high = max(known) if limits[1] is None else limits[1]
    rows: dict[float, list[int]] = {}
    for i, key in enumerate(keys):
        if key is not None:
            rows.setdefault(bucket_start(key, span, zone), []).append(i)
    order: list[int | None] = []
    starts: list[float] = []
    for start in buckets(low, high, span, zone):
        found: Sequence[int | None] = rows.get(start) or (None,)
        order += found
        starts += [start] * len(found)
    columns = {}
    for other in table.column_names:
        cells = table[other].to_pylist()
        if other == name:
            columns[other] = column(starts)
            continue
        values = [None if i is None else cells[i] for i in order]
        columns[other] = pa.array(values, table.schema.field(other).type)
    return pa.table(columns)


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return float(value) if is_numeric_text(value) else None
    return float(value) if isinstance(value, int | float) else None
