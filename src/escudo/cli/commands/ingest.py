"""``escudo ingest``: logs into a lasting lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from escudo.cli import EXIT_INPUT
from escudo.cli.hunt_view import show_ingest
from escudo.cli.hunting import report
from escudo.cli.options import lake_option, logs_argument, sources_option
from escudo.cli.output import chosen, console
from escudo.cli.progress import IngestProgress, show
from escudo.cli.rejected import tell_rejected
from escudo.core.errors import EscudoError, Severity
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.tables import Tables


@click.command()
@logs_argument
@lake_option(required=True)
@sources_option
@click.option("--force", is_flag=True, help="Take in also files that the lake has already.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("table", "json")),
    help="table or json [default: table on a terminal, json in a pipe]",
)
def command(
    logs: Sequence[Path],
    lake_path: Path,
    tables: Tables,
    force: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    """Read LOGS (files, folders, archives, - for stdin) into a lake.

    A file that the lake has already is left out. The exit code is 1 where part of the input was
    rejected; the rejected input is kept in the folder `rejected` of the lake.
    """
    begun = time.monotonic()
    with Lake.open(lake_path, tables=tables) as lake:
        with IngestProgress(quiet=quiet) as progress:
            ingested = ingest(logs, lake, force=force, progress=progress)
        show(ingested.diagnostics)
        tell_rejected(ingested, lake, lasting=True)
        if chosen(format_) == "table":
            show_ingest(ingested, console())
        else:
            numbers = report(ingested, None, begun)
            sys.stdout.write(orjson.dumps(numbers, option=orjson.OPT_INDENT_2).decode() + "\n")
    if not ingested.files:
        raise EscudoError("CLI004", "none of the inputs holds a log that Escudo reads")
    if ingested.rejected or any(d.severity is Severity.ERROR for d in ingested.diagnostics):
        sys.exit(EXIT_INPUT)
