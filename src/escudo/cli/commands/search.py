"""``escudo search``: SPL over a lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.engines import make_engines
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.shown_rows import iterate_rows
from escudo.actions.workspace import Workspace
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_content,
    parse_time_range,
    sources_option,
    time_options,
)
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.progress import show_changes, show_diagnostics
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
    format_: str | None,
) -> None:
    """Run SPL over a lake, over all time unless --earliest or --latest say otherwise.

    `-` reads the search from standard input. Macros and lookups come from Escudo's own content
    and from --content; what outputlookup, collect and fit have written is in the lake, and goes
    before the content's.
    """
    now = time.time()
    text = sys.stdin.read() if spl == "-" else spl
    content = load_content(content_paths, overlay)
    shape = choose_format(format_)
    options = SearchOptions(
        streamed=shape in ("jsonl", "json"),
        may_delete=allow_delete,
        may_write_internal=allow_internal,
        job=job,
    )
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        workspace = Workspace(
            content=content,
            lake=lake,
            engine_of=make_engines(engine_name, memory_limit),
            now=now,
            within=parse_time_range(earliest, latest, now),
        )
        found = search_lake(text, workspace, options, tell=show_diagnostics)
        show_changes(found.changes)
        rows = (row for table in found.tables for row in iterate_rows(table))
        count = write_rows(rows, found.fields, shape)
    if shape == "table":
        open_stderr().print(f"{count:,} rows in {time.time() - now:.2f} s")
