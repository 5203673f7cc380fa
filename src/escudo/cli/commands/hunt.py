"""``escudo hunt``: from logs to findings in one command."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import click

from escudo.actions.engines import make_engines
from escudo.actions.hunt import hunt_logs, plan_hunt
from escudo.actions.match_rows import iterate_match
from escudo.actions.narrowing import Narrowing
from escudo.actions.run_report import count_run
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_BLIND, EXIT_INPUT
from escudo.cli.hunt_progress import HuntProgress
from escudo.cli.hunt_view import show_run, summarize_hunt
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    date_order_option,
    engine_options,
    lake_option,
    load_keyed_content,
    logs_argument,
    open_cache,
    open_lake,
    parse_time_range,
    password_options,
    sources_option,
    time_options,
    unpack_options,
)
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.progress import show_changes, show_diagnostics
from escudo.cli.terminal import open_console, open_stderr
from escudo.content.elements.detection import STATUSES, TYPES
from escudo.core.errors import Severity
from escudo.detect.screening import Screener
from escudo.findings.notable import SEVERITIES
from escudo.lake.tables import Tables
from escudo.sources.opening import UnpackLimits
from escudo.sources.times import DateOrder

FIELDS = (
    "_time",
    "detection",
    "detection_id",
    "detection_type",
    "detection_status",
    "severity",
    "risk_score",
    "message",
    "mitre_attack_id",
    "tactics",
    "analytic_story",
    "risk_objects",
    "source_file",
    "row",
)


@click.command()
@logs_argument(required=False)
@sources_option
@unpack_options
@password_options
@date_order_option
@content_options
@click.option("--detection", "names", multiple=True, help="Only this detection (name or id).")
@click.option("--story", "stories", multiple=True, help="Only detections of this analytic story.")
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice(TYPES, case_sensitive=False),
    help="Only detections of this type; repeatable, as are the next ones.",
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(STATUSES),
    help="Only detections of this status.",
)
@click.option(
    "--technique",
    "techniques",
    multiple=True,
    help="Only detections of this ATT&CK technique (T1059), sub-techniques included.",
)
@click.option("--exclude", multiple=True, help="Not this detection (name or id).")
@click.option(
    "--min-severity",
    type=click.Choice(SEVERITIES),
    help="Only detections whose findings are at least so severe.",
)
@click.option(
    "--baselines",
    "with_baselines",
    is_flag=True,
    help="First run the baselines of these detections, over the time before --earliest.",
)
@time_options
@engine_options
@lake_option(required=False, text="Keep what is read in this lake [default: a temporary one].")
@click.option("--report", "report_path", type=click.File("wb"), help="Write a JSON report here.")
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option()
def command(
    logs: Sequence[Path],
    content_paths: Sequence[Path],
    overlay: Path | None,
    names: Sequence[str],
    stories: Sequence[str],
    types: tuple[str, ...],
    statuses: tuple[str, ...],
    techniques: tuple[str, ...],
    exclude: tuple[str, ...],
    min_severity: str | None,
    with_baselines: bool,
    earliest: str,
    latest: str,
    engine_name: str,
    memory_limit: str | None,
    lake_path: Path | None,
    tables: Tables,
    max_unpacked: int,
    max_members: int,
    passwords: tuple[bytes, ...],
    date_order: DateOrder | None,
    report_path: IO[bytes] | None,
    quiet: bool,
    format_: str | None,
) -> None:
    """Read LOGS (files, folders, archives, - for stdin), run detections, report what they find.

    Without LOGS the lake of --lake is hunted as it is. Escudo's own detections run, and those of
    --content; of many, those that can find nothing in the lake are told apart in a few scans and
    not run. The exit code is 1 where part of the input was rejected or a detection could not run;
    what was found beside it is shown all the same.
    It is 3 where events came in that no detection can see, whatever else is wrong: they look like
    Windows events in no known form, none of a file met a source, or processes have no names.

    Baselines fill lookups and fit models that detections compare with ("first time seen",
    outliers). With --baselines those of the content run first: over the time before --earliest, or
    over everything without it. In a lasting lake they stay (see `escudo baseline`).
    """
    if not logs and lake_path is None:
        raise click.UsageError("give LOGS to read, or a lake to hunt with --lake")
    begun, now = time.monotonic(), time.time()
    limits = UnpackLimits(
        most_bytes=max_unpacked << 30, most_members=max_members, passwords=passwords
    )
    shape = choose_format(format_)
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    content = loaded.content
    narrowing = Narrowing(
        types=types,
        statuses=statuses,
        techniques=techniques,
        exclude=exclude,
        min_severity=min_severity,
    )
    plan = plan_hunt(
        content,
        names=names,
        stories=stories,
        narrowing=narrowing,
        with_baselines=with_baselines,
    )
    within = parse_time_range(earliest, latest, now)
    with open_lake(lake_path, tables, create=bool(logs)) as lake:
        workspace = Workspace(
            content=content,
            lake=lake,
            engine_of=make_engines(engine_name, memory_limit),
            now=now,
            within=within,
            screener=Screener(cache, loaded.key),
        )
        progress = HuntProgress(lasting=lake_path is not None, quiet=quiet)
        done = hunt_logs(
            logs, workspace, plan, date_order=date_order, follower=progress, limits=limits
        )
    hunt, ingested = done.hunt, done.ingested.report
    show_diagnostics([d for d in hunt.diagnostics if d.severity is Severity.ERROR])
    show_changes(hunt.changes, quiet=quiet)
    if shape == "table":
        out = open_console()
        show_run(hunt, ingested if logs else None, out)
        out.print()
        out.print(summarize_hunt(hunt))
    else:
        write_rows((row for match, _ in hunt.hits() for row in iterate_match(match)), FIELDS, shape)
        if not quiet:
            open_stderr().print(summarize_hunt(hunt))
    if report_path is not None:
        numbers = count_run(ingested, hunt, seconds=time.monotonic() - begun)
        report_path.write(dump_json(numbers, indent=True).encode() + b"\n")
    if hunt.stopped is not None:
        raise hunt.stopped
    if done.ingested.blind:
        sys.exit(EXIT_BLIND)
    if done.failed or content.failed_files:
        sys.exit(EXIT_INPUT)
