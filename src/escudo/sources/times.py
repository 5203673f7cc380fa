"""Texts that are times -> UTC timestamps, a column at a time; ``assemble`` and NXLog call it."""

from __future__ import annotations

import re

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.date_order import DateOrder

TIME = pa.timestamp("us", tz="UTC")
_NAIVE = pa.timestamp("us")
_ISO = (
    r"^\s*(?<date>\d{4}[-/]\d\d[-/]\d\d)[T ](?<time>\d\d:\d\d:\d\d)(?:[.,](?<fraction>\d{1,6})\d*)?"
    r"\s*(?:Z|UTC|(?<sign>[+-])(?<hours>\d\d):?(?<minutes>\d\d))?\s*$"
)
_DOTNET = r"^\s*\\?/Date\((-?\d+)(?:[+-]\d{4})?\)\\?/\s*$"
"""JavaScriptSerializer's dates, which Windows PowerShell's ConvertTo-Json writes: milliseconds."""
_NUMERIC_DATE = (
    r"^\s*(?<first>\d{1,2})[-/.](?<second>\d{1,2})[-/.](?<year>\d{4})[ T,]+"
    r"(?<hour>\d{1,2}):(?<minute>\d\d)"
    r"(?::(?<seconds>\d\d))?(?:[.,](?<fraction>\d{1,6})\d*)?\s*(?<half>[AaPp][Mm])?\s*(?:Z|UTC)?\s*$"
)
_ODD = re.compile(r"Date\(|^\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_EPOCH = r"^\s*\d{1,19}(?:\.\d+)?\s*$"
_MAX_SECONDS = 4.0e10
"""Epoch numbers above this (the year 3237) are milliseconds, micro- or nanoseconds."""
_FILETIME_UNIX = 11_644_473_600
_FILETIMES = (1.0e17, 2.6e17)
"""100 ns since 1601 for the years 1917 to 2424; nanoseconds since 1970 are above it from 1978."""


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
    known = _any_form(text)
    if not known.null_count:
        return known
    odd = text.filter(known.is_null()).drop_null()
    if not any(_ODD.search(value) for value in odd.to_pylist()):
        return known
    return pc.coalesce(known, _odd_form(text, date_order))


def _odd_form(text: pa.Array, date_order: DateOrder | None) -> pa.Array:
    column = pl.Series("t", pl.from_arrow(text), dtype=pl.String).to_frame()
    dotnet = pl.col("t").str.extract(_DOTNET).cast(pl.Int64, strict=False) * 1000
    parts = pl.col("t").str.extract_groups(_NUMERIC_DATE).struct
    first, second = (parts.field(n).cast(pl.Int64) for n in ("first", "second"))
    day_first = (
        pl.when((first > 12) & (second <= 12))
        .then(True)
        .when((second > 12) & (first <= 12))
        .then(False)
        .when(first == second)
        .then(True)
        .otherwise(None if date_order is None else pl.lit(date_order is DateOrder.DMY))
    )
    half = parts.field("half").str.to_lowercase()
    hour = parts.field("hour").cast(pl.Int64)
    hour = (
        pl.when(half == "pm")
        .then(hour % 12 + 12)
        .when(half == "am")
        .then(hour % 12)
        .otherwise(hour)
    )
    padded = (
        parts.field("year"),
        pl.when(day_first).then(second).otherwise(first).cast(pl.String).str.zfill(2),
        pl.when(day_first).then(first).otherwise(second).cast(pl.String).str.zfill(2),
        hour.cast(pl.String).str.zfill(2),
        parts.field("minute"),
        parts.field("seconds").fill_null("00"),
        parts.field("fraction").fill_null("").str.pad_end(6, "0"),
    )
    moment = (
        pl.concat_str(padded, separator=" ")
        .str.to_datetime("%Y %m %d %H %M %S %6f", time_unit="us", strict=False)
        .dt.epoch("us")
    )
    numeric = pl.when(day_first.is_not_null()).then(moment)
    return column.select(pl.coalesce(dotnet, numeric).alias("t"))["t"].to_arrow().cast(TIME)


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
        low, high = _MAX_SECONDS * unit / 1_000, _MAX_SECONDS * unit
        if bounds["min"] is not None and low <= bounds["min"] and bounds["max"] < high:
            return pc.multiply(number, 1_000_000 // unit).cast(TIME)
    return None


def _any_form(text: pa.Array) -> pa.Array:
    column = pl.Series("t", pl.from_arrow(text), dtype=pl.String).to_frame()
    parts = pl.col("t").str.extract_groups(_ISO).struct
    iso = (
        pl.concat_str(
            parts.field("date").str.replace_all("/", "-"),
            pl.lit(" "),
            parts.field("time"),
            pl.lit("."),
            parts.field("fraction").fill_null("").str.pad_end(6, "0"),
        ).str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", time_unit="us", strict=False)
    ).dt.epoch("us")
    offset = (
        parts.field("hours").cast(pl.Int64) * 60 + parts.field("minutes").cast(pl.Int64)
    ) * pl.when(parts.field("sign") == "-").then(-60_000_000).otherwise(60_000_000)
    digits = pl.when(pl.col("t").str.contains(_EPOCH)).then(pl.col("t").str.strip_chars())
    number = digits.cast(pl.Float64, strict=False)
    whole = digits.cast(pl.Int64, strict=False)
    epoch = (
        pl.when(number < _MAX_SECONDS)
        .then((number * 1e6).round().cast(pl.Int64, strict=False))
        .when(number < _MAX_SECONDS * 1e3)
        .then((number * 1e3).round().cast(pl.Int64, strict=False))
        .when(number < _MAX_SECONDS * 1e6)
        .then(whole)
        .when(number.is_between(*_FILETIMES))
        .then(whole // 10 - _FILETIME_UNIX * 1_000_000)
        .otherwise(whole // 1000)
    )
    micros = column.select(pl.coalesce(iso - offset.fill_null(0), epoch).alias("t"))["t"]
    return micros.to_arrow().cast(TIME)
