"""Tables turned around: ``transpose``, ``untable``, ``xyseries``, the series of ``chart``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from escudo.spl.relation.values import is_numeric_text, number_text

Cell = Any


def text(value: Cell) -> str:
    """A cell as the name of a field."""
    if isinstance(value, list):
        return " ".join(text(v) for v in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    return str(value)


def column(values: Sequence[Cell]) -> pa.Array:
    """Cells as an array: numbers if all are, lists if one is, else text."""
    known = [v for v in values if v is not None]
    if any(isinstance(v, list) for v in known):
        lists = [v if v is None or isinstance(v, list) else [text(v)] for v in values]
        return pa.array(lists, pa.list_(pa.string()))
    if known and all(isinstance(v, int) and not isinstance(v, bool) for v in known):
        return pa.array(values, pa.int64())
    if known and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known):
        return pa.array(values, pa.float64())
    return pa.array([None if v is None else text(v) for v in values], pa.string())


def sort_key(value: Cell) -> tuple[int, float, str]:
    """Numbers first by size, then text."""
    shown = text(value)
    if is_numeric_text(shown):
        return 0, float(shown), ""
    return 1, 0.0, shown


def transposed(
    table: pa.Table, column_name: str, header: str | None, include_empty: bool
) -> pa.Table:
    """Rows as columns (Search Reference, transpose).

    >>> t = pa.table({"k": ["a", "b"], "n": [1, 2]})
    >>> transposed(t, "column", "k", True).to_pylist()
    [{'column': 'n', 'a': 1, 'b': 2}]
    """
    names = [n for n in table.column_names if n != header and not n.startswith("_")]
    headers = [f"row {i + 1}" for i in range(table.num_rows)]
    if header is not None and header in table.column_names:
        found = table[header].to_pylist()
        headers = [h if v is None else text(v) for h, v in zip(headers, found, strict=True)]
    cells = {n: table[n].to_pylist() for n in names}
    if not include_empty:
        names = [n for n in names if any(v not in (None, "") for v in cells[n])]
    columns: dict[str, pa.Array] = {column_name: pa.array(names, pa.string())}
    for i, h in enumerate(headers):
        columns[h] = column([cells[n][i] for n in names])
    return pa.table(columns)


def untabled(table: pa.Table, x: str, y_name: str, y_data: str, names: Sequence[str]) -> pa.Table:
    """One row for each value of each row (Search Reference, untable).

    >>> untabled(pa.table({"x": ["p"], "a": [1], "b": [2]}), "x", "n", "v", ["a", "b"]).to_pylist()
    [{'x': 'p', 'n': 'a', 'v': 1}, {'x': 'p', 'n': 'b', 'v': 2}]
    """
    keys = table[x].to_pylist() if x in table.column_names else [None] * table.num_rows
    cells = {n: table[n].to_pylist() for n in names}
    rows = [
        (key, n, cells[n][i])
        for i, key in enumerate(keys)
        for n in names
        if cells[n][i] is not None
    ]
    return pa.table(
        {
            x: column([r[0] for r in rows]),
            y_name: pa.array([r[1] for r in rows], pa.string()),
            y_data: column([r[2] for r in rows]),
        }
    )


@dataclass(frozen=True)
class Naming:
    """How a series is named where there are several data fields."""

    sep: str = ": "
    form: str = "$AGG$$SEP$$VAL$"

    def name(self, data: str, series: str) -> str:
        """The name of one data field of one series.

        >>> Naming().name("count", "a")
        'count: a'
        """
        out = self.form.replace("$AGG$", data).replace("$VAL$", series)
        return out.replace("$SEP$", self.sep)


def series_table(
    table: pa.Table,
    x: str,
    y_name: str,
    y_data: Sequence[str],
    naming: Naming,
    *,
    in_order: bool = False,
) -> pa.Table:
    """A row for each x and a column for each name (Search Reference, xyseries).

    >>> t = pa.table({"x": ["1", "1", "2"], "n": ["a", "b", "a"], "v": [5, 6, 7]})
    >>> series_table(t, "x", "n", ["v"], Naming()).to_pylist()
    [{'x': '1', 'a': 5, 'b': 6}, {'x': '2', 'a': 7, 'b': None}]
    """
    if any(n not in table.column_names for n in (x, y_name, *y_data)):
        return pa.table({x: pa.array([], pa.string())})
    rows: dict[Cell, dict[str, Cell]] = {}
    series: dict[str, None] = {}
    data = {d: table[d].to_pylist() for d in y_data}
    names = table[y_name].to_pylist()
    for i, key in enumerate(table[x].to_pylist()):
        if key is None or names[i] is None:
            continue
        row = rows.setdefault(tuple(key) if isinstance(key, list) else key, {})
        for d in y_data:
            shown = text(names[i]) if len(y_data) == 1 else naming.name(d, text(names[i]))
            series[shown] = None
            row[shown] = data[d][i]
    keys = list(rows) if in_order else sorted(rows, key=sort_key)
    columns: dict[str, pa.Array] = {
        x: column([list(k) if isinstance(k, tuple) else k for k in keys])
    }
    for s in sorted(series, key=sort_key):
        columns[s] = column([rows[k].get(s) for k in keys])
    return pa.table(columns)
