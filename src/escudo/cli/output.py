"""Rows for people (a table) and for machines (JSON lines, JSON, CSV), with ISO-8601 UTC times."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any

import click
import orjson
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from escudo.core.timerange import iso_utc

FORMATS = ("table", "jsonl", "json", "csv")
_TIME_FIELDS = frozenset({"_time", "_indextime"})
_WIDE = 200
_ROWS_AT_ONCE = 1_000

Row = Mapping[str, Any]


def format_option(default: str | None = None) -> Callable[[Any], Any]:
    """`--format`; the default is a table on a terminal and JSON lines in a pipe."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        default=default,
        help="table, jsonl, json or csv [default: table on a terminal, jsonl in a pipe]",
    )


def chosen(format_: str | None) -> str:
    return format_ or ("table" if sys.stdout.isatty() else "jsonl")


def plain(field: str, value: Any) -> Any:
    """A value as it is shown: epoch times as ISO-8601, whole floats as integers, a list of one
    as its element (as in Splunk's JSON results).

    >>> plain("_time", 0.5), plain("count", 3.0), plain("user", ["alice"])
    ('1970-01-01T00:00:00.500Z', 3, 'alice')
    >>> plain("_indextime", "1.25"), plain("_time", "Monday")
    ('1970-01-01T00:00:01.250Z', 'Monday')
    """
    if value is None:
        return None
    if field in _TIME_FIELDS and isinstance(value, int | float | str):
        try:
            return iso_utc(float(value))
        except ValueError:
            return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return plain(field, value[0]) if len(value) == 1 else [plain(field, v) for v in value]
    return value


def rows_of(table: pa.Table) -> Iterable[dict[str, Any]]:
    """The rows of a table as dicts, a few at a time, nulls left out."""
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        held = [name for name in batch.schema.names if batch[name].null_count < len(batch)]
        for row in batch.select(held).to_pylist():
            yield {k: plain(k, v) for k, v in row.items() if v is not None}


def write_rows(
    rows: Iterable[Row],
    fields: Sequence[str],
    format_: str,
    *,
    out: IO[str] | None = None,
    title: str | None = None,
) -> int:
    """Writes rows in one of FORMATS; returns how many."""
    stream = out or sys.stdout
    if format_ == "table":
        return _write_table(rows, fields, stream, title)
    if format_ == "csv":
        return _write_csv(rows, fields, stream)
    if format_ == "json":
        return _write_json(rows, stream)
    count = 0
    for row in rows:
        stream.write(orjson.dumps(row).decode() + "\n")
        count += 1
    return count


def _write_json(rows: Iterable[Row], stream: IO[str]) -> int:
    """An array, written as its rows come."""
    count = 0
    for row in rows:
        text = orjson.dumps(row, option=orjson.OPT_INDENT_2).decode().replace("\n", "\n  ")
        stream.write(f"{',' if count else '['}\n  {text}")
        count += 1
    stream.write("\n]\n" if count else "[]\n")
    return count


def _write_csv(rows: Iterable[Row], fields: Sequence[str], stream: IO[str]) -> int:
    writer = csv.DictWriter(stream, fields, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow({k: _flat(v) for k, v in row.items()})
        count += 1
    return count


def _write_table(
    rows: Iterable[Row], fields: Sequence[str], stream: IO[str], title: str | None
) -> int:
    table = Table(title=title, title_justify="left", show_lines=False, pad_edge=False)
    for field in fields:
        table.add_column(field, overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*(Text(_flat(row.get(field))) for field in fields))
        count += 1
    console(stream).print(table)
    return count


def _flat(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(_flat(v) for v in value)
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return str(value)


def console(stream: IO[str] | None = None) -> Console:
    """A console as wide as the terminal; in a pipe wide enough that nothing is folded away."""
    target = stream or sys.stdout
    return Console(file=target, width=None if target.isatty() else _WIDE, highlight=False)
