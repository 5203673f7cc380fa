"""``escudo source coverage``: which detections can fire on the sources that Escudo reads, or on the
events of a lake or of some logs."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.engines import make_engines
from escudo.actions.ingest import ingest_logs
from escudo.actions.source_coverage import Coverage, judge_content, judge_lake
from escudo.cim.models import load as load_models
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    lake_option,
    load_content,
    logs_argument,
    open_lake,
    sources_option,
)
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.progress import show_diagnostics
from escudo.cli.terminal import SafeConsole, open_console
from escudo.content import Content
from escudo.lake.tables import Tables

_FORMATS = ("table", "json")


@click.command()
@logs_argument(required=False)
@lake_option(required=False, existing=True, text="Judge by the events of this lake.")
@content_options
@sources_option
@format_option(_FORMATS)
def command(
    logs: Sequence[Path],
    lake_path: Path | None,
    content_paths: Sequence[Path],
    overlay: Path | None,
    tables: Tables,
    format_: str | None,
) -> None:
    """Say which detections can fire, and why others cannot.

    With LOGS, or with a lake, they are judged by the fields that the events there have; else by all
    that Escudo's sources can fill. A detection can fire if each field that its search needs to give
    a row is filled by a source that it names. Deprecated detections are not counted.
    """
    if logs and lake_path is not None:
        raise click.UsageError("give LOGS or --lake")
    content = load_content(content_paths, overlay)
    if logs or lake_path is not None:
        coverage = _judge_held(content, logs, lake_path, tables)
    else:
        engine_of = make_engines("duckdb")
        coverage = judge_content(content, tables, models=load_models(), engine_of=engine_of)
    if choose_format(format_, _FORMATS) == "json":
        sys.stdout.write(dump_json(coverage.to_dict(), indent=True) + "\n")
    else:
        _show(coverage, open_console())


def _judge_held(
    content: Content, logs: Sequence[Path], lake_path: Path | None, tables: Tables
) -> Coverage:
    with open_lake(lake_path, tables) as lake:
        if logs:
            ingested = ingest_logs(logs, lake)
            show_diagnostics(ingested.report.diagnostics)
            ingested.require_logs()
        engine_of = make_engines("duckdb")
        return judge_lake(content, tables, snapshot=lake.snapshot(), engine_of=engine_of)


def _show(coverage: Coverage, out: SafeConsole) -> None:
    share = f" ({coverage.can_fire / coverage.detections:.1%})" if coverage.detections else ""
    out.print(f"{coverage.can_fire:,} of {coverage.detections:,} detections can fire{share}")
    lacking: dict[str, list[str]] = defaultdict(list)
    for unable in coverage.cannot:
        lacking[unable.why].append(unable.name)
    rows = [
        {"why not": why, "detections": len(names), "such as": names[0]}
        for why, names in sorted(lacking.items(), key=lambda each: (-len(each[1]), each[0]))
    ]
    if rows:
        write_rows(rows, ("why not", "detections", "such as"), "table")
