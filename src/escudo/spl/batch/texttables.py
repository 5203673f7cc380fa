"""Tables inside the text of an event: ``multikv`` (Search Reference)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from escudo.spl.batch.pivot import column

_NAME = re.compile(r"\W+")


@dataclass(frozen=True)
class TextTables:
    """The options of the command: fields to take, terms a row must have, the header's line."""

    fields: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    header: int | None = None
    copy_fields: bool = True
    several: bool = True
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
    out: list[dict[str, Any]] = []
    for record in table.to_pylist():
        lines = (record.get("_raw") or "").splitlines()
        kept = dict(record) if options.copy_fields else {"_time": record.get("_time")}
        if not options.remove_original:
            out.append(record)
        for raw, cells in _rows(lines, options):
            if options.filters and not any(f.lower() in raw.lower() for f in options.filters):
                continue
            wanted = cells if not options.fields else _only(cells, options.fields)
            out.append({**kept, "_raw": raw, **wanted})
    names = list(dict.fromkeys([*table.column_names, *(n for r in out for n in r)]))
    columns = {}
    for n in names:
        values = [r.get(n) for r in out]
        if n in table.column_names:
            columns[n] = pa.array(values, table.schema.field(n).type)
        else:
            columns[n] = column(values)
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
