"""Rows -> a table for people, or JSON lines, JSON, CSV for machines; called by the commands."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any

import click
from rich.table import Table

from escudo.cli.json_text import dump_json
from escudo.cli.terminal import open_console, plain
from escudo.core.interrupts import meet_stop

FORMATS = ("table", "jsonl", "json", "csv")

Row = Mapping[str, Any]


def format_option(formats: Sequence[str] = FORMATS) -> Callable[[Any], Any]:
    """``--format``, one of some formats; what ``choose_format`` takes without it is in its help."""
    on_terminal, in_pipe = formats[:2]
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats),
        help=f"{', '.join(formats[:-1])} or {formats[-1]} "
        f"[default: {on_terminal} on a terminal, {in_pipe} in a pipe]",
    )


def choose_format(format_: str | None, formats: Sequence[str] = FORMATS) -> str:
    """``--format``; without it the first format on a terminal, the second one in a pipe."""
    return format_ or formats[0 if sys.stdout.isatty() else 1]


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
        stream.write(dump_json(row) + "\n")
        count += 1
    return count


def _write_json(rows: Iterable[Row], stream: IO[str]) -> int:
    """An array, written as its rows come."""
    count = 0
    try:
        for row in rows:
            text = dump_json(row, indent=True).replace("\n", "\n  ")
            stream.write(f"{',' if count else '['}\n  {text}")
            count += 1
    except KeyboardInterrupt:  # what was found is an array all the same
        meet_stop()
        stream.write("\n]\n" if count else "[]\n")
        raise
    stream.write("\n]\n" if count else "[]\n")
    return count


def _write_csv(rows: Iterable[Row], fields: Sequence[str], stream: IO[str]) -> int:
    writer = csv.DictWriter(stream, fields, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow({k: flatten_value(v) for k, v in row.items()})
        count += 1
    return count


def _write_table(
    rows: Iterable[Row], fields: Sequence[str], stream: IO[str], title: str | None
) -> int:
    table = Table(
        title=plain(title) if title is not None else None,
        title_justify="left",
        show_lines=False,
        pad_edge=False,
    )
    for field in fields:
        table.add_column(plain(field), overflow="fold")
    count = 0
    try:
        for row in rows:
            table.add_row(*(plain(flatten_value(row.get(field))) for field in fields))
            count += 1
    except KeyboardInterrupt:  # what was found is shown
        meet_stop()
        open_console(stream).print(table)
        raise
    open_console(stream).print(table)
    return count


def flatten_value(value: Any) -> str:
    """A value as the text of a cell: several values a line each, what has parts as JSON.

    >>> flatten_value(["a", None, 1])
    'a\\n\\n1'
    """
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(flatten_value(v) for v in value)
    if isinstance(value, dict):
        return dump_json(value)
    return str(value)
