"""``escudo tree``: the processes around one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

import click

from escudo.actions.engines import EngineChoice
from escudo.cli.context_view import show_tree
from escudo.cli.options import (
    engine_options,
    lake_option,
    parse_time_range,
    sources_option,
    time_options,
    zone_option,
)
from escudo.cli.output import write_rows
from escudo.cli.terminal import SafeConsole, open_console, plain
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc, iso_zoned
from escudo.findings.tree import Process, Tree, grow_trees_of
from escudo.lake import Lake
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables

FIELDS = (
    "tree",
    "depth",
    "hit",
    "_time",
    "dest",
    "user",
    "process_name",
    "process",
    "process_id",
    "parent_process_id",
    "process_guid",
    "parent_process_guid",
    "recorded",
)


def _read_pid(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """A process id, decimal as Sysmon writes it or hexadecimal as the Security log does."""
    try:
        return None if text is None else int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number, such as 4711 or 0x1267") from None


@click.command()
@lake_option(required=True)
@sources_option
@click.option("--host", help="The host, with or without its domain.")
@click.option("--pid", callback=_read_pid, help="The process id (4711, or 0x1267).")
@click.option("--guid", help="The process GUID, with or without braces.")
@time_options
@zone_option("formats for machines have UTC.")
@engine_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(("tree", "jsonl", "json", "csv")),
    help="tree, or a process a row [default: tree on a terminal, jsonl in a pipe]",
)
def command(
    lake_path: LakePlace,
    tables: Tables,
    host: str | None,
    pid: int | None,
    guid: str | None,
    earliest: str,
    latest: str,
    zone: tzinfo,
    engine: EngineChoice,
    format_: str | None,
) -> None:
    """Show the processes around one of a lake: its ancestors, and its descendants.

    The process is named by --guid, or by --host and --pid. A process id is used again: all that
    had it are shown, each with its time; --earliest and --latest choose among them. A tree reaches
    a day before and after its process.
    """
    if guid is None and (host is None or pid is None):
        raise click.UsageError("name a process with --guid, or with --host and --pid")
    within = parse_time_range(earliest, latest, time.time(), zone)
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        snapshot = lake.snapshot()
        grown_by = engine.make()(snapshot)
        trees = grow_trees_of(host, grown_by, snapshot, within=within, pid=pid, guid=guid)
    if not trees:
        named = f"GUID {guid}" if guid is not None else f"id {pid}"
        where = f" on {host}" if host is not None else ""
        raise EscudoError("CLI012", f"no start of a process with {named}{where} is in the lake")
    shape = format_ or ("tree" if sys.stdout.isatty() else "jsonl")
    if shape == "tree":
        _show(trees, open_console(), zone)
    else:
        write_rows(_list_processes(trees), FIELDS, shape)


def _show(trees: Iterable[Tree], out: SafeConsole, zone: tzinfo) -> None:
    for number, tree in enumerate(trees):
        if number:
            out.print()
        for _, node in tree.root.walk():
            if node.hit:
                process = node.process
                told = (iso_zoned(process.time, zone), process.name, process.dest, process.user)
                out.print(plain("  ".join(filter(None, told)), style="bold"), no_wrap=True)
        show_tree(tree, out)


def _list_processes(trees: Iterable[Tree]) -> Iterator[dict[str, Any]]:
    for number, tree in enumerate(trees, 1):
        for depth, node in tree.root.walk():
            yield {"tree": number, "depth": depth, "hit": node.hit, **_describe(node.process)}


def _describe(process: Process) -> dict[str, Any]:
    """A process as an object. One that only its child tells of has no time of its own."""
    return {
        "_time": iso_utc(process.time) if process.recorded else None,
        "dest": process.dest,
        "user": process.user or None,
        "process_name": process.name,
        "process": process.command,
        "process_id": process.pid,
        "parent_process_id": process.parent_pid,
        "process_guid": process.guid,
        "parent_process_guid": process.parent_guid,
        "recorded": process.recorded,
    }
