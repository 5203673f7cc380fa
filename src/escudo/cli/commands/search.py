"""``escudo search``: SPL over a lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from escudo.actions.engines import EngineChoice
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_content,
    parse_time_range,
    rights_options,
    sources_option,
    time_options,
)
from escudo.cli.progress import show_changes, show_diagnostics, show_waiting
from escudo.cli.search_view import Showing, show_found, showing_options
from escudo.cli.terminal import open_stderr
from escudo.lake import Lake
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables


@click.command()
@click.argument("spl")
@lake_option(required=True)
@sources_option
@content_options
@time_options
@engine_options
@rights_options
@click.option(
    "--save-job", "job", default=None, help="Keep the results under this name, for `loadjob`."
)
@showing_options(one_search=True)
def command(
    spl: str,
    lake_path: LakePlace,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    engine: EngineChoice,
    rights: SearchOptions,
    job: str | None,
    showing: Showing,
) -> None:
    """Run SPL over a lake, over all time unless --earliest or --latest say otherwise.

    `-` reads the search from standard input. Macros and lookups come from Escudo's own content
    and from --content; what outputlookup, collect and fit have written is in the lake, and goes
    before the content's.

    A terminal is shown the columns that fit it, and ten screens of rows; a pipe or a file has all.
    """
    now = time.time()
    text = sys.stdin.read() if spl == "-" else spl
    within = parse_time_range(earliest, latest, now, showing.zone)
    content = load_content(content_paths, overlay)
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        workspace = Workspace(
            content=content,
            lake=lake,
            engine_of=engine.make(),
            now=now,
            within=within,
            zone=showing.zone,
        )
        with show_waiting("searching"):
            options = showing.limit(replace(rights, job=job))
            found = search_lake(text, workspace, options, tell=show_diagnostics)
        show_changes(found.changes)
        seconds = time.time() - now
        told = show_found(found, text, showing)
        if not showing.fits_terminal:
            seconds = time.time() - now  # rows come while they are written
    if told is not None:
        open_stderr().print(told.say(seconds))
