"""``escudo timeline``: what detections found, and what was around it, in the order of time."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime, tzinfo
from pathlib import Path
from typing import IO, Any

import click
from rich.text import Text

from escudo.actions.engines import EngineChoice
from escudo.actions.hunt import hunt_logs, plan_hunt
from escudo.actions.raw_events import Event
from escudo.actions.shown_rows import show_value
from escudo.actions.timeline import Hit, build_timeline
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.hunt_progress import HuntProgress
from escudo.cli.hunt_view import COLOURS
from escudo.cli.options import (
    content_options,
    date_order_option,
    engine_options,
    lake_option,
    limits_options,
    load_keyed_content,
    logs_argument,
    open_cache,
    open_lake,
    parse_time_range,
    sources_option,
    time_options,
    zone_option,
)
from escudo.cli.output import write_rows
from escudo.cli.terminal import escape_line, open_console, open_stderr
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.core.whole_file import check_place, write_whole
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.sources.date_order import DateOrder
from escudo.sources.opening import UnpackLimits

FIELDS = (
    "_time",
    "kind",
    "host",
    "user",
    "severity",
    "detection",
    "message",
    "mitre_attack_id",
    "risk_score",
    "process",
    "parent_process",
    "source",
    "sourcetype",
    "source_file",
    "event_hash",
)
"""The fields of an entry, whether a hit or an event; what it has not is left out, or empty."""

FORMATS = ("table", "csv", "jsonl", "timesketch")

_SPAN = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _read_span(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter("a number with s, m, h or d, such as 5m")
    return float(int(match[1]) * _SECONDS[match[2]])


@click.command()
@logs_argument(required=False)
@sources_option
@limits_options
@date_order_option
@content_options
@time_options
@zone_option("detections and formats for machines have UTC.")
@engine_options
@lake_option(
    required=False,
    text="The lake; what is read of LOGS is kept in it [default: a temporary one].",
)
@click.option(
    "--around",
    callback=_read_span,
    metavar="SPAN",
    help="Also the events of a hit's host so long before and after it (30s, 5m, 1h).",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="table, csv, jsonl, or timesketch: Timesketch's JSON lines, in a file *.csv its CSV "
    "[default: table on a terminal, csv for a file *.csv, else jsonl]",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write it to this file.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    logs: Sequence[Path],
    tables: Tables,
    limits: UnpackLimits,
    date_order: DateOrder | None,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    zone: tzinfo,
    engine: EngineChoice,
    lake_path: LakePlace | None,
    around: float | None,
    format_: str | None,
    output: Path | None,
    quiet: bool,
) -> None:
    """Show what detections found in the order of its time, with the events around it if asked for.

    With LOGS these are read and hunted first, as by `escudo hunt`. Without LOGS the timeline is of
    what earlier hunts have left in the lake of --lake; nothing is hunted again. Either way it has
    the rows that gave risk or a finding: those of type Hunting give neither.
    """
    if not logs and lake_path is None:
        raise click.UsageError("give LOGS to hunt, or a hunted lake with --lake")
    if output is not None:
        check_place(output)
    now = time.time()
    within = parse_time_range(earliest, latest, now, zone)
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    failed = False
    with open_lake(lake_path, tables, create=bool(logs)) as lake:
        engines = engine.make()
        workspace = Workspace.prepare(
            loaded, lake, engine_of=engines, cache=cache, now=now, within=within
        )
        if logs:
            done = hunt_logs(
                logs,
                workspace,
                plan_hunt(loaded.content),
                date_order=date_order,
                follower=HuntProgress(lasting=lake_path is not None, quiet=quiet),
                limits=limits,
            )
            failed = done.ingested.failed
            if done.hunt.stopped is not None:
                raise done.hunt.stopped
        entries = build_timeline(workspace, around=around)
        shape = format_ or _choose_format(output)
        with nullcontext() if output is None else write_whole(output) as stream:
            if stream is None:
                count = _write(entries, shape, sys.stdout, as_csv=False, zone=zone)
            else:
                text = io.TextIOWrapper(stream, "utf-8", newline="", errors="backslashreplace")
                as_csv = output is not None and output.suffix.lower() == ".csv"
                count = _write(entries, shape, text, as_csv=as_csv, zone=zone)
                text.flush()
                text.detach()
    if not quiet:
        open_stderr().print(f"{count:,} entries")
    if failed:
        sys.exit(EXIT_INPUT)


def _choose_format(output: Path | None) -> str:
    if output is None:
        return "table" if sys.stdout.isatty() else "jsonl"
    formats = {".csv": "csv", ".jsonl": "jsonl"}
    if output.suffix.lower() not in formats:
        raise EscudoError(
            "CLI010",
            f"{output}: no format is called {output.suffix!r}",
            hint="end the name with .csv or .jsonl, or give --format",
        )
    return formats[output.suffix.lower()]


def _write(
    entries: Iterable[Hit | Event], shape: str, out: IO[str], *, as_csv: bool, zone: tzinfo
) -> int:
    if shape == "table":
        return _show(entries, out, zone)
    if shape == "timesketch":
        rows = map(_describe_for_timesketch, entries)
        fields = (*_TIMESKETCH, *(f for f in FIELDS if f not in ("_time", "message")))
        return write_rows(rows, fields, "csv" if as_csv else "jsonl", out=out)
    return write_rows(map(_describe, entries), FIELDS, shape, out=out)


def _describe(entry: Hit | Event) -> dict[str, Any]:
    """An entry as an object; what it has not is left out."""
    if isinstance(entry, Event):
        own: dict[str, Any] = {
            "kind": "event",
            "host": entry.host,
            "message": entry.raw,
            "source": entry.source,
            "sourcetype": entry.sourcetype,
            "source_file": entry.source_file,
        }
    else:
        own = {
            "kind": "hit",
            "host": ", ".join(entry.hosts),
            "user": ", ".join(entry.users),
            "severity": entry.severity,
            "detection": entry.detection,
            "message": entry.message,
            "mitre_attack_id": list(entry.techniques),
            "risk_score": show_value("risk_score", entry.risk_score),
            "process": entry.process,
            "parent_process": entry.parent_process,
            "source_file": ", ".join(entry.source_files),
            "event_hash": entry.event_hash,
        }
    return {"_time": iso_utc(entry.time), **{k: v for k, v in own.items() if v not in ("", [])}}


_TIMESKETCH = ("message", "timestamp", "datetime", "timestamp_desc")
"""The fields that Timesketch has of its own; ``timestamp`` is in microseconds (Timesketch, Import
from JSON or CSV)."""


def _describe_for_timesketch(entry: Hit | Event) -> dict[str, Any]:
    shown = _describe(entry)
    moment = shown.pop("_time")
    message = shown.pop("message", "")
    if isinstance(entry, Hit):
        message = f"{entry.severity}: {entry.detection}: {message}".removesuffix(": ")
    return {
        "message": message,
        "timestamp": round(entry.time * 1_000_000),
        "datetime": moment.removesuffix("Z") + "+00:00",
        "timestamp_desc": "Detection" if isinstance(entry, Hit) else "Event Logged",
        **shown,
    }


def _show(entries: Iterable[Hit | Event], out: IO[str], zone: tzinfo) -> int:
    """A line an entry, as wide as the terminal; times are those of a zone."""
    console = open_console(out)
    count = 0
    for entry in entries:
        console.print(_lay_out(entry, zone), no_wrap=True, overflow="ellipsis")
        count += 1
    return count


def _lay_out(entry: Hit | Event, zone: tzinfo) -> Text:
    line = Text(f"{datetime.fromtimestamp(entry.time, zone):%Y-%m-%d %H:%M:%S} ")
    if isinstance(entry, Event):
        line.append(f"{'':<8} {escape_line(entry.host)}  {escape_line(entry.raw)}", style="dim")
        return line
    level = escape_line(entry.severity)
    line.append(f"{level[:8]:<8} ", style=COLOURS.get(level, ""))
    line.append(escape_line(", ".join(entry.hosts)) + "  ", style="cyan")
    line.append(escape_line(entry.detection), style="bold")
    line.append(f"  {escape_line(entry.process or entry.message)}")
    return line
