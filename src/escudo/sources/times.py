"""Texts that are times -> UTC timestamps, a column at a time; ``assemble`` and NXLog call it."""

from __future__ import annotations

import re
from importlib import import_module

import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.date_order import DateOrder

TIME = pa.timestamp("us", tz="UTC")
_NAIVE = pa.timestamp("us")
_ODD = re.compile(r"Date\(|^\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
MAX_SECONDS = 4.0e10
"""Epoch numbers above this (the year 3237) are milliseconds, micro- or nanoseconds."""


def parse_times(text: pa.Array, date_order: DateOrder | None = None) -> pa.Array:
    """Times in UTC from text; null where the text is no time.

    Takes ISO-8601 with a blank or a ``T``, any number of digits after the second (cut at
    microseconds), ``Z``, an offset, or no zone (then it is UTC), and epoch numbers in seconds,
    milli-, micro- or nanoseconds, or Windows FILETIME, told apart by their size; ``/Date(ms)/``;
    and dates like 25/03/2024 where only one order of day and month is possible, or ``date_order``
    says which: without it, 03/05/2024 is no time. No zone is UTC.

    >>> times = parse_times(pa.array(["2020-10-08T11:03:46.617920300Z", "1713805173.418", "-"]))
    >>> [str(t) for t in times.to_pylist()]
    ['2020-10-08 11:03:46.617920+00:00', '2024-04-22 16:59:33.418000+00:00', 'None']
    """
    for rule in (_plain_utc, _plain_number):
        times = rule(text)
        if times is not None:
            return times
    forms = import_module("escudo.sources.time_forms")  # Polars takes a third of a second to load
    known: pa.Array = forms.parse_known_forms(text)
    if not known.null_count:
        return known
    odd = text.filter(known.is_null()).drop_null()
    if not any(_ODD.search(value) for value in odd.to_pylist()):
        return known
    return pc.coalesce(known, forms.parse_odd_forms(text, date_order))


def _plain_utc(text: pa.Array) -> pa.Array | None:
    """The form that Windows writes, when every value has it."""
    if not pc.all(pc.ends_with(text, "Z"), skip_nulls=False).as_py():
        return None
    cut = pc.utf8_rtrim(pc.utf8_slice_codeunits(text, 0, 26), "Z")
    try:
        return pc.assume_timezone(pc.cast(cut, _NAIVE), "UTC")
    except pa.ArrowInvalid:
        return None


def _plain_number(text: pa.Array) -> pa.Array | None:
    """Whole epoch numbers, when every value is one and all are of one size."""
    try:
        number = text.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    bounds = pc.min_max(number).as_py()
    for unit in (1, 1_000, 1_000_000):
        low, high = MAX_SECONDS * unit / 1_000, MAX_SECONDS * unit
        if bounds["min"] is not None and low <= bounds["min"] and bounds["max"] < high:
            return pc.multiply(number, 1_000_000 // unit).cast(TIME)
    return None
