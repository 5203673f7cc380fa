"""The rows of a search -> a chart: a time or names, and numbers beside them; called by who draws
one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from escudo.actions.shown_rows import show_value
from escudo.core.errors import EscudoError

MOST_BARS = 50
"""Names of a chart; those of further rows are left out and counted."""
_SHARES = frozenset({"percent"})
_BESIDE = " · "


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers over time, or for names.

    ``points`` are epoch seconds if ``over_time``, else names; each of ``series`` has a number or
    None for every one of them. ``axis`` is the name of the field of the points. ``left_out`` rows
    are not in it.
    """

    axis: str
    over_time: bool
    points: tuple[Any, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    left_out: int = 0


def make_chart(rows: pa.Table) -> Chart:
    """The chart of a result: ``_time`` or the columns of text are the points, the numbers are
    series. ``percent``, which ``top`` gives beside a count, is none.

    >>> rows = pa.table({"host": ["a", "b"], "count": [3.0, 1.0], "percent": [75.0, 25.0]})
    >>> make_chart(rows).series
    (('count', (3.0, 1.0)),)

    Raises:
        EscudoError: CLI022 where there is no row, or no number in any.
    """
    shown = [n for n in rows.column_names if n == "_time" or not n.startswith("_")]
    if rows.num_rows == 0:
        raise EscudoError("CLI022", "the search found no rows to draw")
    over_time = "_time" in shown and rows["_time"].null_count < rows.num_rows
    numbers = {n: _numbers(rows[n]) for n in shown if n != "_time"}
    series = [(n, v) for n, v in numbers.items() if v is not None]
    if not over_time and len(shown) > 1:
        leading = next((n for n in shown if numbers.get(n) is None), shown[0])
        series = [(n, v) for n, v in series if n != leading]
    if len(series) > 1:
        series = [(n, v) for n, v in series if n not in _SHARES]
    if not series:
        raise EscudoError(
            "CLI022",
            "the search gives no number to draw",
            hint="end it in `| timechart count`, `| top FIELD` or `| stats count by FIELD`",
        )
    if over_time:
        return _draw_over_time(rows, series)
    drawn = {n for n, _ in series} | _SHARES
    names = [n for n in shown if n not in drawn and n != "_time"]
    columns = [rows[n].slice(0, MOST_BARS).to_pylist() for n in names]
    labels = tuple(
        _BESIDE.join(_label(n, values[row]) for n, values in zip(names, columns, strict=True))
        for row in range(min(rows.num_rows, MOST_BARS))
    )
    cut = tuple((n, v[:MOST_BARS]) for n, v in series)
    return Chart(
        _BESIDE.join(names), False, labels, cut, left_out=max(0, rows.num_rows - MOST_BARS)
    )


def _draw_over_time(
    rows: pa.Table, series: Sequence[tuple[str, tuple[float | None, ...]]]
) -> Chart:
    """The chart in the order of time; rows without a time are left out."""
    times = rows["_time"].to_pylist()
    held = [i for i, t in enumerate(times) if isinstance(t, int | float)]
    held.sort(key=lambda i: times[i])
    if not held:
        raise EscudoError("CLI022", "no row has a time to draw it at")
    ordered = tuple((n, tuple(values[i] for i in held)) for n, values in series)
    return Chart(
        "_time", True, tuple(times[i] for i in held), ordered, left_out=len(times) - len(held)
    )


def _numbers(column: pa.ChunkedArray) -> tuple[float | None, ...] | None:
    """The numbers of a column, None for no value; None where a value is no number."""
    if pa.types.is_nested(column.type) or pa.types.is_boolean(column.type):
        return None
    if pa.types.is_temporal(column.type) or column.null_count == len(column):
        return None
    values = column.to_pylist()
    try:
        return tuple(None if v in (None, "") else float(v) for v in values)
    except (TypeError, ValueError):
        return None


def _label(name: str, value: Any) -> str:
    shown = show_value(name, value)
    if isinstance(shown, list):
        return ", ".join(map(str, shown))
    return "" if shown is None else str(shown)
