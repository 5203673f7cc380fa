"""``escudo lake``: look at a lake, compact, expire, verify, repair, copy and move it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from escudo.cli import EXIT_INPUT
from escudo.cli.json_text import dump_json
from escudo.cli.options import lake_option, parse_bound, policy_option, sources_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.place_type import LakeType
from escudo.cli.terminal import open_console, open_stderr
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.lake import Lake, copying, maintenance, verify
from escudo.lake.maintenance import LakeInfo, Maintained
from escudo.lake.place import LakePlace, make_place
from escudo.lake.policy import Policy, apply_policy, read_policy
from escudo.lake.tables import Tables

_FIELDS = ("table", "rows", "files", "bytes", "earliest", "latest", "version")


@click.group()
def command() -> None:
    """Look at a lake, compact it, expire old data, verify, repair, copy and move it."""


@command.command()
@lake_option(required=True)
@sources_option
@format_option()
def info(lake_path: LakePlace, tables: Tables, format_: str | None) -> None:
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
def compact(lake_path: LakePlace, tables: Tables, retention_hours: float) -> None:
    """Merge small files. Searches see the same rows before, during and after."""
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        _tell(maintenance.compact(lake, retention=timedelta(hours=retention_hours)))


@command.command()
@lake_option(required=True)
@sources_option
@click.option("--older-than", required=True, help="A time: -90d, 2026-01-01T00:00:00Z, epoch.")
@_RETENTION
def expire(lake_path: LakePlace, tables: Tables, older_than: str, retention_hours: float) -> None:
    """Drop what is older than a time."""
    limit = parse_bound("--older-than", older_than, time.time())
    if limit is None:
        raise EscudoError("CLI003", "--older-than: that is no point in time")
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        _tell(maintenance.expire(lake, limit, retention=timedelta(hours=retention_hours)))


@command.command()
@lake_option(required=True)
@sources_option
@policy_option
def maintain(lake_path: LakePlace, tables: Tables, policy_path: Path | None) -> None:
    """Drop what is too old and merge small files, as a policy says.

    Without a policy nothing is dropped. Others may read and write meanwhile; two that maintain the
    same lake do no harm.
    """
    policy = Policy() if policy_path is None else read_policy(policy_path)
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        for done in apply_policy(lake, policy, time.time()):
            _tell(done)


@command.command("verify")
@lake_option(required=True)
@sources_option
@format_option()
def verify_files(lake_path: LakePlace, tables: Tables, format_: str | None) -> None:
    """Read every file of a lake: what is damaged, and which logs have lost events by it. The exit
    code is 1 if something is damaged."""
    with Lake.open(lake_path, create=False, tables=tables, partly=True) as lake:
        found = verify.verify(lake)
    rows = [
        {"kind": "file", "table": d.table, "path": d.path, "state": d.cause} for d in found.damaged
    ]
    for log in found.lost:
        state = "can be read in again" if log.there else "is not there any more"
        lost = f"{log.events - log.readable:,} of {log.events:,} events lost; {state}"
        rows.append({"kind": "log", "table": "", "path": log.path, "state": lost})
    write_rows(rows, ("kind", "table", "path", "state"), choose_format(format_))
    unnamed = f", {found.unnamed:,} of them without a digest" if found.unnamed else ""
    open_stderr().print(
        f"{found.files:,} files of {found.bytes:,} bytes read{unnamed}: "
        f"{len(found.damaged):,} are damaged"
    )
    if found.damaged:
        sys.exit(EXIT_INPUT)


@command.command("repair")
@lake_option(required=True)
def repair_ledger(lake_path: LakePlace) -> None:
    """Make a new ledger from the tables of a lake whose own is lost or damaged."""
    if not isinstance(lake_path, Path):
        message = f"{lake_path} has its ledger in a database"
        raise EscudoError("LAK034", message)
    done = verify.repair(lake_path)
    kept = f"; the old ledger is {done.kept}" if done.kept is not None else ""
    open_stderr().print(
        f"{len(done.tables):,} tables are in the new ledger, {done.logs:,} logs are known{kept}"
    )


def _tell(done: Maintained) -> None:
    if sys.stdout.isatty():
        for change in done.changes:
            open_stderr().print(
                f"{change.table}: {change.files_before:,} files are {change.files_after:,} now"
                + (f", {change.rows_dropped:,} rows dropped" if change.rows_dropped else "")
            )
        open_stderr().print(f"{done.freed:,} bytes freed")
        return
    sys.stdout.write(dump_json(done) + "\n")


def _copy_arguments(function: Callable[..., None]) -> Callable[..., None]:
    for option, text in (
        ("--to-ledger", "Ledger of the copy; as --ledger."),
        ("--from-ledger", "Ledger of the lake; as --ledger."),
    ):
        function = click.option(option, help=text)(function)
    for name in ("target", "source"):
        function = click.argument(name, type=LakeType(exists=False))(function)
    return function


@command.command("copy")
@_copy_arguments
@sources_option
def copy(
    source: str, target: str, from_ledger: str | None, to_ledger: str | None, tables: Tables
) -> None:
    """Copy the lake SOURCE to TARGET, each a folder or a URL, and check the copy.

    It is the lake as it is now, with lookups, models, results and rejected input. A copy that was
    stopped goes on when it is called again.
    """
    with _open_both(source, target, from_ledger, to_ledger, tables) as (lake, other):
        _tell_copied(copying.copy_lake(lake, other, told=_tell_table), other)


@command.command("move")
@_copy_arguments
@sources_option
def move(
    source: str, target: str, from_ledger: str | None, to_ledger: str | None, tables: Tables
) -> None:
    """Copy the lake SOURCE to TARGET, check the copy, and delete what is in SOURCE.

    Nothing is deleted where something came in meanwhile.
    """
    with _open_both(source, target, from_ledger, to_ledger, tables) as (lake, other):
        copied = copying.copy_lake(lake, other, told=_tell_table)
        _tell_copied(copied, other)
        copying.empty_lake(lake, copied.commit)
        open_stderr().print(f"{lake.place} is empty")


@contextmanager
def _open_both(
    source: str, target: str, from_ledger: str | None, to_ledger: str | None, tables: Tables
) -> Iterator[tuple[Lake, Lake]]:
    with (
        Lake.open(make_place(source, from_ledger), create=False, tables=tables) as lake,
        Lake.open(make_place(target, to_ledger), tables=tables) as other,
    ):
        yield lake, other


def _tell_table(table: copying.CopiedTable) -> None:
    open_stderr().print(
        f"{table.name}: {table.rows:,} rows, {table.sent:,} of {table.files:,} files"
    )


def _tell_copied(copied: copying.Copied, target: Lake) -> None:
    rows = sum(table.rows for table in copied.tables)
    size = sum(table.bytes for table in copied.tables)
    open_console().print(
        f"{rows:,} rows in {len(copied.tables)} tables, {size:,} bytes, and {copied.others:,} "
        f"other files are in {target.place}, checked"
    )
