"""``escudo lake``: look at a lake, compact it, expire old data."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import orjson

from escudo.cli.options import lake_option, parse_time_range, sources_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.terminal import open_console, open_stderr
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.lake import Lake, maintenance
from escudo.lake.maintenance import LakeInfo, Maintained
from escudo.lake.tables import Tables

_FIELDS = ("table", "rows", "files", "bytes", "earliest", "latest", "version")


@click.group()
def command() -> None:
    """Look at a lake, compact it, expire old data."""


@command.command()
@lake_option(required=True)
@sources_option
@format_option()
def info(lake_path: Path, tables: Tables, format_: str | None) -> None:
    """Tables with their rows, files, bytes and times, and the lookups, models and results that
    searches have left."""
    with Lake.open(lake_path, create=False, tables=tables, partly=True) as lake:
        state = maintenance.info(lake)
    shape = choose_format(format_)
    if shape == "table":
        open_console().print(
            f"{state.path}: commit {state.commit} of {iso_utc(state.committed)}, "
            f"{state.ingested:,} files came in, {state.rejected:,} inputs rejected"
        )
    write_rows(_list_rows(state), _FIELDS, shape)


def _list_rows(state: LakeInfo) -> Iterator[dict[str, Any]]:
    for table in state.tables:
        yield {
            "table": table.name,
            "rows": table.rows,
            "files": table.files,
            "bytes": table.bytes,
            "earliest": iso_utc(table.earliest) if table.earliest is not None else None,
            "latest": iso_utc(table.latest) if table.latest is not None else None,
            "version": table.version,
        }
    for name, size in state.artifacts:
        yield {**dict.fromkeys(_FIELDS), "table": name, "files": 1, "bytes": size}


_RETENTION = click.option(
    "--retention-hours",
    type=click.FloatRange(min=0),
    default=maintenance.RETENTION / timedelta(hours=1),
    show_default=True,
    help="Files that left the tables are deleted after so long, for searches that still read them.",
)


@command.command()
@lake_option(required=True)
@sources_option
@_RETENTION
def compact(lake_path: Path, tables: Tables, retention_hours: float) -> None:
    """Merge small files. Searches see the same rows before, during and after."""
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        _tell(maintenance.compact(lake, retention=timedelta(hours=retention_hours)))


@command.command()
@lake_option(required=True)
@sources_option
@click.option("--older-than", required=True, help="A time: -90d, 2026-01-01T00:00:00Z, epoch.")
@_RETENTION
def expire(lake_path: Path, tables: Tables, older_than: str, retention_hours: float) -> None:
    """Drop what is older than a time."""
    limit = parse_time_range(older_than, "", time.time()).earliest
    if limit is None:
        raise EscudoError("CLI003", "--older-than: that is no point in time")
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        _tell(maintenance.expire(lake, limit, retention=timedelta(hours=retention_hours)))


def _tell(done: Maintained) -> None:
    if sys.stdout.isatty():
        for change in done.changes:
            open_stderr().print(
                f"{change.table}: {change.files_before:,} files are {change.files_after:,} now"
                + (f", {change.rows_dropped:,} rows dropped" if change.rows_dropped else "")
            )
        open_stderr().print(f"{done.freed:,} bytes freed")
        return
    sys.stdout.write(orjson.dumps(done).decode() + "\n")
