"""Texts that are times in any of many forms -> UTC timestamps; ``times`` calls it where the plain
forms do not do."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from escudo.sources.date_order import DateOrder
from escudo.sources.times import MAX_SECONDS, TIME

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
_EPOCH = r"^\s*\d{1,19}(?:\.\d+)?\s*$"
_FILETIME_UNIX = 11_644_473_600
_FILETIMES = (1.0e17, 2.6e17)
"""100 ns since 1601 for the years 1917 to 2424; nanoseconds since 1970 are above it from 1978."""


def parse_known_forms(text: pa.Array) -> pa.Array:
    """ISO-8601 and epoch numbers; null where a text is neither."""
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
        pl.when(number < MAX_SECONDS)
        .then((number * 1e6).round().cast(pl.Int64, strict=False))
        .when(number < MAX_SECONDS * 1e3)
        .then((number * 1e3).round().cast(pl.Int64, strict=False))
        .when(number < MAX_SECONDS * 1e6)
        .then(whole)
        .when(number.is_between(*_FILETIMES))
        .then(whole // 10 - _FILETIME_UNIX * 1_000_000)
        .otherwise(whole // 1000)
    )
    micros = column.select(pl.coalesce(iso - offset.fill_null(0), epoch).alias("t"))["t"]
    return micros.to_arrow().cast(TIME)


def parse_odd_forms(text: pa.Array, date_order: DateOrder | None) -> pa.Array:
    """``/Date(ms)/`` and numeric dates; null where a text is neither."""
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
