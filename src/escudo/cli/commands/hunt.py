"""``escudo hunt``: from logs to findings in one command."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import click
import orjson

from escudo.cli import EXIT_INPUT
from escudo.cli.baseline_view import summary_of
from escudo.cli.hunt_view import show_hits, show_ingest, show_risk, show_techniques, summary
from escudo.cli.hunting import chosen as chosen_detections
from escudo.cli.hunting import hunt, report, result_rows
from escudo.cli.options import (
    content_options,
    engine_options,
    engines,
    load_content,
    logs_argument,
    open_lake,
    sources_option,
    time_options,
    time_range,
)
from escudo.cli.output import chosen, console, format_option, write_rows
from escudo.cli.progress import IngestProgress, following, show, stderr, tracked
from escudo.cli.rejected import tell_rejected
from escudo.core.errors import EscudoError, Severity
from escudo.core.timerange import TimeRange
from escudo.detect.baselines import BaselineRun, needed, ordered, run_baselines
from escudo.lake.ingest import ingest
from escudo.lake.tables import Tables

FIELDS = (
    "_time",
    "detection",
    "detection_id",
    "detection_type",
    "detection_status",
    "risk_score",
    "message",
    "mitre_attack_id",
    "analytic_story",
    "risk_objects",
    "source_file",
    "row",
)


@click.command()
@logs_argument
@sources_option
@content_options
@click.option("--detection", "names", multiple=True, help="Only this detection (name or id).")
@click.option("--story", "stories", multiple=True, help="Only detections of this analytic story.")
@click.option(
    "--baselines",
    "with_baselines",
    is_flag=True,
    help="First run the baselines of these detections, over the time before --earliest.",
)
@time_options
@engine_options
@click.option(
    "--lake",
    "lake_path",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep what is read in this lake [default: a temporary one].",
)
@click.option("--report", "report_path", type=click.File("wb"), help="Write a JSON report here.")
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option()
def command(
    logs: Sequence[Path],
    content_paths: Sequence[Path],
    overlay: Path | None,
    names: Sequence[str],
    stories: Sequence[str],
    with_baselines: bool,
    earliest: str,
    latest: str,
    engine_name: str,
    memory_limit: str | None,
    lake_path: Path | None,
    tables: Tables,
    report_path: IO[bytes] | None,
    quiet: bool,
    format_: str | None,
) -> None:
    """Read LOGS (files, folders, archives, - for stdin), run detections, report what they find.

    Escudo's own detections run, and those of --content. The exit code is 1 where part of the
    input was rejected or a detection could not run; what was found beside it is shown all the same.

    Baselines fill lookups and fit models that detections compare with ("first time seen",
    outliers). With --baselines those of the content run first: over the time before --earliest, or
    over everything without it. In a lasting lake they stay (see `escudo baseline`).
    """
    begun, now = time.monotonic(), time.time()
    shape = chosen(format_)
    content = load_content(content_paths, overlay)
    detections = chosen_detections(content, names, stories)
    within = time_range(earliest, latest, now)
    with open_lake(lake_path, tables, create=True) as lake:
        with IngestProgress(quiet=quiet) as progress:
            ingested = ingest(logs, lake, progress=progress)
        show(ingested.diagnostics)
        tell_rejected(ingested, lake, lasting=lake_path is not None)
        if not ingested.files:
            raise EscudoError("CLI004", "none of the inputs holds a log that Escudo reads")
        engine_of = engines(engine_name, memory_limit)
        learned: list[BaselineRun] = []
        if with_baselines:
            baselines = needed(content, detections) if names or stories else ordered(content)
            end = within.latest if within.earliest is None else within.earliest
            before = TimeRange(None, end)
            with tracked(baselines, "running baselines", quiet=quiet) as items:
                learned += run_baselines(items, content, lake, engine_of, within=before, now=now)
            show([d for run in learned for d in run.diagnostics if d.severity is Severity.ERROR])
            if not quiet:
                stderr().print(summary_of(learned), markup=False)
        found = hunt(
            detections,
            content,
            lake,
            engine_of,
            within=within,
            now=now,
            follow=following("running detections", quiet),
        )
        show([d for d in found.diagnostics if d.severity is Severity.ERROR])
        for change in found.changes if not quiet else ():
            stderr().print(str(change), markup=False)
        if shape == "table":
            out = console()
            show_ingest(ingested, out)
            show_hits(found, out)
            show_risk(found, lake, out)
            show_techniques(found, out)
            out.print()
            out.print(summary(found))
        else:
            rows = (row for match, _ in found.hits() for row in result_rows(match))
            write_rows(rows, FIELDS, shape)
            if not quiet:
                stderr().print(summary(found))
        if report_path is not None:
            numbers = report(ingested, found, begun)
            report_path.write(orjson.dumps(numbers, option=orjson.OPT_INDENT_2) + b"\n")
    bad_input = any(d.severity is Severity.ERROR for d in ingested.diagnostics)
    failed = found.failed or any(run.failed for run in learned)
    if bad_input or ingested.rejected or failed or content.failed_files:
        sys.exit(EXIT_INPUT)
