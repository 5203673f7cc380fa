"""``escudo backfill``: windows that no run has covered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.engines import EngineChoice
from escudo.actions.run import fill_gaps, prepare_worker
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_keyed_content,
    open_cache,
    parse_time_range,
    sources_option,
    time_options,
)
from escudo.cli.progress import show_diagnostics
from escudo.cli.schedule_options import Terms, schedule_options
from escudo.cli.schedule_view import describe_step, summarize_step, tell_failed
from escudo.cli.state_options import open_state, state_option
from escudo.cli.terminal import open_stderr
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.schedule.clock import SystemClock


@click.command()
@lake_option(required=True)
@sources_option
@state_option
@content_options
@time_options
@schedule_options
@engine_options
@click.option("--quiet", is_flag=True, help="Tell nothing of what is done.")
def command(
    lake_path: LakePlace,
    tables: Tables,
    state_place: str | None,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    terms: Terms,
    engine: EngineChoice,
    quiet: bool,
) -> None:
    """Run the windows that were missed, and those whose search failed.

    With --earliest and --latest, all windows that have a part of this time and have not run: also
    those from before the schedule began. A gap that is filled is one no longer. What is found has
    the time of its events, and correlations look again at the windows in which that risk is.
    """
    within = parse_time_range(earliest, latest, terms.now)
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    plan = terms.plan(loaded.content)
    with (
        Lake.open(lake_path, create=False, tables=tables) as lake,
        open_state(state_place, lake_path) as state,
    ):
        engines = engine.make(sparing=True)
        workspace = Workspace.prepare(loaded, lake, engine_of=engines, cache=cache, now=terms.now)
        prepared = prepare_worker(plan, workspace, state, options=terms.make_options())
        show_diagnostics(prepared.problems)
        try:
            opened, step = fill_gaps(
                prepared,
                state,
                None if within == ALL_TIME else within,
                now=terms.now,
                clock=SystemClock(),
            )
        finally:
            prepared.worker.leave()
    if not quiet:
        if sys.stdout.isatty():
            told = f"{opened.added:,} windows filled, {opened.again:,} that had failed run again"
            open_stderr().print(f"{told}: {summarize_step(step)}")
        else:
            filled = {"filled": opened.added, "again": opened.again}
            sys.stdout.write(dump_json({**filled, **describe_step(step)}) + "\n")
    tell_failed(step)
    if step.failed or prepared.problems or loaded.content.failed_files:
        sys.exit(EXIT_INPUT)
