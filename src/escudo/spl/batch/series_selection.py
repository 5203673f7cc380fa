"""The groups of a chart -> its table: series that are shown, the others summed up, gaps filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from statistics import fmean
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from escudo.spl.batch.continuity import bucket_start, buckets
from escudo.spl.batch.outliers import numbers
from escudo.spl.batch.pivot import Naming, column, sort_key, text
from escudo.spl.syntax.series_options import SeriesOptions, SplitWhere
from escudo.spl.syntax.spans import BinSpan

_SCORES: Mapping[str, Any] = {
    "sum": sum,
    "max": max,
    "min": min,
    "avg": fmean,
    "mean": fmean,
    "count": len,
    "range": lambda v: max(v) - min(v),
    "first": lambda v: v[0],
    "last": lambda v: v[-1],
}


def score_of(where: SplitWhere | None, options: SeriesOptions) -> str:
    """The statistic by which series are ranked: that of WHERE, of ``agg``, else the sum."""
    name = where.aggregate.function if where is not None else options.agg or "sum"
    return name if name in _SCORES else "sum"


def chosen_series(
    table: pa.Table,
    split: str,
    score: str,
    options: SeriesOptions,
    where: SplitWhere | None,
    statistic: str,
) -> list[str] | None:
    """The names of the series to show; None if all are (Search Reference, timechart).

    >>> t = pa.table({"s": ["a", "b", "b", "c"], "n": [5, 1, 1, 9]})
    >>> from escudo.spl.syntax.series_options import SeriesLimit
    >>> chosen_series(t, "s", "n", SeriesOptions(limit=SeriesLimit(2)), None, "sum")
    ['a', 'c']
    """
    values: dict[str, list[float]] = {}
    cells = numbers(table[score].to_pylist())
    for name, cell in zip(table[split].to_pylist(), cells, strict=True):
        if name is not None:
            values.setdefault(text(name), []).append(0.0 if cell is None else cell)
    scored = {name: float(_SCORES[statistic](v)) for name, v in values.items()}
    best = sorted(scored, key=lambda n: (-scored[n], n))
    worst = sorted(scored, key=lambda n: (scored[n], n))
    if where is not None:
        kept = _by_where(scored, best, worst, where)
    elif options.limit.count >= len(scored):
        return None
    else:
        kept = (worst if options.limit.bottom else best)[: options.limit.count]
    return sorted(kept)


def _by_where(
    scored: Mapping[str, float], best: Sequence[str], worst: Sequence[str], where: SplitWhere
) -> list[str]:
    if where.rank is not None:
        ranked = (best if where.rank == "top" else worst)[: int(where.number)]
        return [n for n in scored if (n in ranked) == (where.op == "in")]
    tests = {
        "<": lambda v: v < where.number,
        ">": lambda v: v > where.number,
        "<=": lambda v: v <= where.number,
        ">=": lambda v: v >= where.number,
        "=": lambda v: v == where.number,
        "!=": lambda v: v != where.number,
    }
    return [n for n, v in scored.items() if tests[where.op](v)]


def with_other(
    table: pa.Table,
    row: str | None,
    series: str,
    data: Sequence[str],
    options: SeriesOptions,
    where: SplitWhere | None,
    statistic: str,
) -> pa.Table:
    """Long rows with the series that are not shown added up as one; only for sums and counts.

    >>> t = pa.table({"r": ["x", "x", "x"], "s": ["a", "b", "c"], "n": [5, 1, 2]})
    >>> from escudo.spl.syntax.series_options import SeriesLimit
    >>> with_other(t, "r", "s", ["n"], SeriesOptions(limit=SeriesLimit(1)), None, "sum").to_pylist()
    [{'r': 'x', 's': 'a', 'n': 5}, {'r': 'x', 's': 'OTHER', 'n': 3}]
    """
    known = table.filter(pc.not_equal(table[series], options.nullstr))
    keep = None
    if where is not None or options.limit.count:
        keep = chosen_series(known, series, data[0], options, where, statistic)
    if keep is None:
        return table
    names = table[series]
    shown = pc.is_in(names, pa.array([*keep, options.nullstr], pa.string()))
    label = options.otherstr if options.useother else None
    renamed = pc.if_else(shown, names, pa.scalar(label, pa.string()))
    place = table.column_names.index(series)
    table = table.set_column(place, series, renamed).filter(pc.is_valid(renamed))
    keys = [series] if row is None else [row, series]
    sums = table.group_by(keys, use_threads=False).aggregate([(d, "sum") for d in data])
    found = {n: sums[n] if n in keys else sums[f"{n}_sum"] for n in (*keys, *data)}
    return pa.table(found)


@dataclass(frozen=True)
class Selection:
    """How long rows (row, series, values) become a chart. ``zero`` are values that are 0, not
    null, where a series has nothing; ``last`` are series that stand at the end."""

    row: str | None
    series: str
    data: tuple[str, ...]
    naming: Naming
    zero: frozenset[str]
    last: tuple[str, ...]

    def table(self, found: pa.Table) -> pa.Table:
        """The chart of long rows.

        >>> t = pa.table({"r": ["x", "x", "y"], "s": ["b", "a", "b"], "count": [1, 2, 3]})
        >>> chart = Selection("r", "s", ("count",), Naming(), frozenset({"count"}), ())
        >>> chart.table(t).to_pylist()
        [{'r': 'x', 'a': 2, 'b': 1}, {'r': 'y', 'a': 0, 'b': 3}]
        """
        keys = found[self.row].to_pylist() if self.row else [None] * found.num_rows
        names = [text(n) for n in found[self.series].to_pylist()]
        data = {d: found[d].to_pylist() for d in self.data}
        cells: dict[Any, dict[tuple[str, str], Any]] = {}
        for i, key in enumerate(keys):
            row = cells.setdefault(key, {})
            for d in self.data:
                row[d, names[i]] = data[d][i]
        ordered = sorted(set(names), key=lambda n: (self._place(n), sort_key(n)))
        columns: dict[str, pa.Array] = {}
        if self.row:
            kind = found.schema.field(self.row).type
            columns[self.row] = pa.array(list(cells), kind)
        for d in self.data:
            for n in ordered:
                shown = n if len(self.data) == 1 else self.naming.name(d, n)
                empty = 0 if d in self.zero else None
                columns[shown] = column([row.get((d, n), empty) for row in cells.values()])
        return pa.table(columns) if columns else pa.table({})

    def _place(self, name: str) -> int:
        return self.last.index(name) + 1 if name in self.last else 0


def filled_chart(
    table: pa.Table,
    span: BinSpan,
    limits: tuple[float | None, float | None],
    zero: set[str],
    *,
    every_series: bool,
    zone: tzinfo = UTC,
) -> pa.Table:
    """A row for each bucket between the limits; counts are 0 where nothing happened.

    >>> t = pa.table({"_time": [0.0, 120.0], "count": [1, 2]})
    >>> filled_chart(t, BinSpan(1.0, "m"), (0.0, 130.0), {"count"}, every_series=False).to_pylist()
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'_time': 0.0, 'count': 1}, {'_time': 60.0, 'count': 0}, {'_time': 120.0, 'count': 2}]
    """
    if "_time" not in table.column_names:
        return table
    times = table["_time"].to_pylist()
    low = min(times, default=None) if limits[0] is None else limits[0]
    high = max(times, default=None) if limits[1] is None else limits[1]
    if low is None or high is None:
        return table
    at = {bucket_start(t, span, zone): i for i, t in enumerate(times)}
    starts = list(buckets(low, high, span, zone))
    columns: dict[str, pa.Array] = {"_time": pa.array(starts, pa.float64())}
    for name in table.column_names:
        if name == "_time":
            continue
        cells = table[name].to_pylist()
        empty = 0 if every_series or name.partition(": ")[0] in zero else None
        values = [cells[at[s]] if s in at else empty for s in starts]
        columns[name] = pa.array(values, table.schema.field(name).type)
    return pa.table(columns)
