"""``escudo ingest``: logs into a lasting lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.engines import EngineChoice
from escudo.actions.ingest import ingest_logs, refuse_remote
from escudo.actions.run_report import count_run
from escudo.cli import EXIT_INPUT
from escudo.cli.hunt_view import show_ingest
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    date_order_option,
    lake_option,
    limits_options,
    logs_argument,
    reader_options,
    sources_option,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.progress import IngestProgress, show_diagnostics
from escudo.cli.rejected_view import tell_rejected
from escudo.cli.terminal import open_console
from escudo.lake import Lake
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.labels import Labels
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.sources.date_order import DateOrder
from escudo.sources.opening import UnpackLimits

_FORMATS = ("table", "json")


@click.command()
@logs_argument(required=True, remote=True)
@lake_option(required=True)
@sources_option
@limits_options
@date_order_option
@reader_options
@click.option("--source", metavar="TEXT", help="The events' source, whatever they say themselves.")
@click.option(
    "--sourcetype", metavar="TEXT", help="Their source type; it decides how text is read."
)
@click.option("--host", metavar="NAME", help="Their host, whatever they say themselves.")
@click.option("--index", metavar="NAME", help="Their index.")
@click.option("--force", is_flag=True, help="Take in also files that the lake has already.")
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option(_FORMATS)
def command(
    logs: Sequence[Path | str],
    lake_path: LakePlace,
    tables: Tables,
    limits: UnpackLimits,
    date_order: DateOrder | None,
    engine: EngineChoice,
    source: str | None,
    sourcetype: str | None,
    host: str | None,
    index: str | None,
    force: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    """Read LOGS (files, folders, archives, - for stdin) into a lake.

    With --engine spark the cluster's workers read the files; they and this machine must have the
    files and the lake under the same paths, or LOGS are URLs (s3://BUCKET/PATH). A file that the
    lake has already is left out. The exit code is 1 where part of the input was rejected; the
    rejected input is kept in the folder `rejected` of the lake.
    """
    begun = time.monotonic()
    spread = engine.make_spread()
    if spread is None:
        refuse_remote(logs)
    with Lake.open(lake_path, tables=tables) as lake, IngestProgress(quiet=quiet) as progress:
        ingested = ingest_logs(
            logs,
            lake,
            IngestOptions(
                force=force,
                date_order=date_order,
                limits=limits,
                labels=Labels(source, sourcetype, host, index),
            ),
            progress=progress,
            spread=spread,
        )
    show_diagnostics(ingested.report.diagnostics)
    tell_rejected(ingested, lasting=True)
    if choose_format(format_, _FORMATS) == "table":
        show_ingest(ingested.report, open_console())
    else:
        numbers = count_run(ingested.report, None, seconds=time.monotonic() - begun)
        sys.stdout.write(dump_json(numbers, indent=True) + "\n")
    ingested.require_logs()
    if ingested.failed:
        sys.exit(EXIT_INPUT)
