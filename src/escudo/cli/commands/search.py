"""``escudo search``: SPL over a lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

import click

from escudo.actions.engines import make_engines
from escudo.actions.search import search_lake
from escudo.actions.workspace import Workspace
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_content,
    parse_time_range,
    sources_option,
    time_options,
    zone_option,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.progress import show_changes, show_diagnostics, show_waiting
from escudo.cli.row_view import Layout
from escudo.cli.search_view import Showing, check_output, layout_options, show_found
from escudo.cli.terminal import open_stderr
from escudo.lake import Lake
from escudo.lake.tables import Tables


@click.command()
@click.argument("spl")
@lake_option(required=True)
@sources_option
@content_options
@time_options
@engine_options
@click.option(
    "--allow-delete",
    is_flag=True,
    help="Let `delete` take the events that it finds out of the lake.",
)
@click.option(
    "--allow-internal",
    is_flag=True,
    help="Let `collect` write to indexes whose names begin with `_`.",
)
@click.option(
    "--save-job", "job", default=None, help="Keep the results under this name, for `loadjob`."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=check_output,
    help="Write all rows to a file: .csv .json .jsonl .parquet; or their chart: .png .svg .html.",
)
@click.option("--chart", is_flag=True, help="Draw the rows: bars for names, columns over time.")
@layout_options
@zone_option
@format_option()
def command(
    spl: str,
    lake_path: Path,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    engine_name: str,
    memory_limit: str | None,
    allow_delete: bool,
    allow_internal: bool,
    job: str | None,
    output: Path | None,
    chart: bool,
    layout: str | None,
    every: bool,
    paged: bool,
    zone: tzinfo,
    format_: str | None,
) -> None:
    """Run SPL over a lake, over all time unless --earliest or --latest say otherwise.

    `-` reads the search from standard input. Macros and lookups come from Escudo's own content
    and from --content; what outputlookup, collect and fit have written is in the lake, and goes
    before the content's.

    A terminal is shown the columns that fit it, and ten screens of rows; a pipe or a file has all.
    """
    now = time.time()
    if chart and format_ not in (None, "table"):
        raise click.UsageError("--chart draws for people: it goes without --format")
    if layout is not None and format_ not in (None, "table"):
        raise click.UsageError("--layout is for people: it goes without --format")
    if output is not None and (chart or layout is not None or format_ is not None):
        says = "--output writes what the file's suffix says"
        raise click.UsageError(f"{says}: it goes without --chart, --layout and --format")
    text = sys.stdin.read() if spl == "-" else spl
    within = parse_time_range(earliest, latest, now, zone)
    content = load_content(content_paths, overlay)
    showing = Showing(
        shape="table" if layout is not None else choose_format(format_),
        layout=None if layout is None else Layout(layout),
        every=every,
        paged=paged,
        chart=chart,
        output=output,
        zone=zone,
    )
    options = showing.choose_options(
        may_delete=allow_delete, may_write_internal=allow_internal, job=job
    )
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        workspace = Workspace(
            content=content,
            lake=lake,
            engine_of=make_engines(engine_name, memory_limit),
            now=now,
            within=within,
            zone=zone,
        )
        with show_waiting("searching"):
            found = search_lake(text, workspace, options, tell=show_diagnostics)
        show_changes(found.changes)
        seconds = time.time() - now
        told = show_found(found, text, showing)
        if not showing.fits_terminal:
            seconds = time.time() - now  # rows come while they are written
    if told is not None:
        open_stderr().print(told.say(seconds))
