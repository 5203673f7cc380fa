"""Events that are tables -> a row for each of their lines: ``multikv`` (Search Reference)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_NAME = re.compile(r"\W+")


@dataclass(frozen=True)
class TextTables:
    """The options of the command: fields to take, terms a row must have, the header's line."""

    fields: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    header: int | None = None
    copy_fields: bool = True
    no_header: bool = False
    remove_original: bool = True


def table_rows(table: pa.Table, options: TextTables) -> pa.Table:
    """One row for each line of the tables in ``_raw``, with a field for each column.

    >>> t = pa.table({"_raw": ["Name  PID\\ninit  1\\ncron  22"]})
    >>> table_rows(t, TextTables()).select(["Name", "PID"]).to_pylist()
    [{'Name': 'init', 'PID': '1'}, {'Name': 'cron', 'PID': '22'}]
    """
    if "_raw" not in table.column_names:
        return table
    origin: list[int] = []
    lines: list[str | None] = []
    whole: list[bool] = []
    found: dict[str, list[str | None]] = {}
    for i, text in enumerate(table["_raw"].to_pylist()):
        if not options.remove_original:
            origin.append(i)
            lines.append(text)
            whole.append(True)
        for raw, cells in _rows((text or "").splitlines(), options):
            if options.filters and not any(f.lower() in raw.lower() for f in options.filters):
                continue
            for name, cell in (_only(cells, options.fields) if options.fields else cells).items():
                column = found.setdefault(name, [])
                column.extend([None] * (len(origin) - len(column)))
                column.append(cell)
            origin.append(i)
            lines.append(raw)
            whole.append(False)
    return _assembled(table, options, origin, lines, found, whole)


def _assembled(
    table: pa.Table,
    options: TextTables,
    origin: Sequence[int],
    lines: Sequence[str | None],
    found: dict[str, list[str | None]],
    whole: Sequence[bool],
) -> pa.Table:
    """The lines with the fields of their events; a cell goes before the event's own field."""
    rows = pa.array(origin, pa.int64())
    copied = rows if options.copy_fields else pc.if_else(pa.array(whole, pa.bool_()), rows, None)
    columns = {n: table[n].take(rows if n == "_time" else copied) for n in table.column_names}
    columns["_raw"] = pa.array(lines, pa.string())
    for name, cells in found.items():
        cells.extend([None] * (len(origin) - len(cells)))
        values: pa.Array | pa.ChunkedArray = pa.array(cells, pa.string())
        own = columns.get(name)
        if own is not None and not pa.types.is_nested(own.type):
            values = pc.coalesce(values, own.cast(pa.string()))
        columns[name] = values
    return pa.table(columns)


def _only(cells: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    return {n: v for n, v in cells.items() if n in names}


def _rows(lines: Sequence[str], options: TextTables) -> list[tuple[str, dict[str, str]]]:
    """(line, column -> cell) of the data lines below a header."""
    lines = [line for line in lines if line.strip()]
    if options.no_header:
        return [
            (line, {f"Column_{i + 1}": c for i, c in enumerate(line.split())}) for line in lines
        ]
    start = options.header - 1 if options.header is not None else _header(lines)
    if start is None or start >= len(lines):
        return []
    names = [_NAME.sub("_", n).strip("_") for n in lines[start].split()]
    out: list[tuple[str, dict[str, str]]] = []
    for line in lines[start + 1 :]:
        cells = line.split(None, len(names) - 1)
        if set(line.strip()) <= set("-= "):
            continue
        out.append((line, dict(zip(names, cells, strict=False))))
    return out


def _header(lines: Sequence[str]) -> int | None:
    """The first line with several words that the next line matches in number."""
    for i in range(len(lines) - 1):
        words = len(lines[i].split())
        if words > 1 and len(lines[i + 1].split()) >= words:
            return i
    return None
