"""Texts of times in a format that a source names -> UTC timestamps; ``extraction`` calls it."""

from __future__ import annotations

import datetime

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.times import TIME


def parse_clock(texts: pa.Array, form: str, latest: float) -> pa.Array:
    """Times in one format of strptime's letters (``%.f`` is a fraction); null where none is.

    A format without a year takes the one that brings the time next to ``latest`` (epoch seconds),
    from behind or at most a day ahead. No zone is UTC.

    >>> texts = pa.array(["22/Feb/2024:13:00:00 -0500", "x"])
    >>> [str(t) for t in parse_clock(texts, "%d/%b/%Y:%H:%M:%S %z", 0).to_pylist()]
    ['2024-02-22 18:00:00+00:00', 'None']
    >>> str(parse_clock(pa.array(["May  7 09:28:36"]), "%b %d %H:%M:%S", 1.7e9)[0])
    '2023-05-07 09:28:36+00:00'
    """
    column = pl.Series("t", pl.from_arrow(texts), dtype=pl.String)
    if "%Y" in form or "%y" in form or "%s" in form:
        return _parse(column, form)
    ahead = datetime.datetime.fromtimestamp(latest, datetime.UTC) + datetime.timedelta(days=1)
    this, last = (_parse(_prefix(column, ahead.year - back), "%Y " + form) for back in (0, 1))
    late = pc.fill_null(pc.greater(this, pa.scalar(ahead, TIME)), True)
    return pc.if_else(late, last, this)


def _prefix(column: pl.Series, year: int) -> pl.Series:
    return column.to_frame().select(pl.lit(f"{year} ") + pl.col("t"))["literal"].alias("t")


def _parse(column: pl.Series, form: str) -> pa.Array:
    spaced = column.str.replace_all("  ", " ", literal=True)
    try:
        times = spaced.str.to_datetime(form, time_unit="us", strict=False, ambiguous="earliest")
    except pl.exceptions.ComputeError:
        return pa.nulls(len(column), TIME)
    if times.dtype.time_zone is None:  # type: ignore[attr-defined]
        times = times.dt.replace_time_zone("UTC")
    return times.dt.convert_time_zone("UTC").to_arrow().cast(TIME)
