"""``escudo backfill``: windows that no run has covered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

import click

from escudo.actions.engines import make_engines
from escudo.actions.hunt import plan_hunt
from escudo.actions.run import RunOptions, fill_gaps, prepare_worker
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
from escudo.cli.schedule_options import open_state, read_now, schedule_options, state_option
from escudo.cli.schedule_view import describe_step, summarize_step
from escudo.cli.terminal import open_stderr
from escudo.core.timerange import ALL_TIME
from escudo.detect.screening import Screener
from escudo.lake import Lake
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
    lake_path: Path,
    tables: Tables,
    state_place: str | None,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    names: Sequence[str],
    stories: Sequence[str],
    no_baselines: bool,
    skew: float,
    zone: tzinfo,
    now_text: str,
    engine_name: str,
    memory_limit: str | None,
    quiet: bool,
) -> None:
    """Run the windows that were missed, and those whose search failed.

    With --earliest and --latest, all windows that have a part of this time and have not run: also
    those from before the schedule began. A gap that is filled is one no longer. What is found has
    the time of its events, and correlations look again at the windows in which that risk is.
    """
    clock = SystemClock()
    now = read_now(now_text, clock.now())
    within = parse_time_range(earliest, latest, now)
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    plan = plan_hunt(loaded.content, names=names, stories=stories, with_baselines=not no_baselines)
    with (
        Lake.open(lake_path, create=False, tables=tables) as lake,
        open_state(state_place, lake_path) as state,
    ):
        workspace = Workspace(
            content=loaded.content,
            lake=lake,
            engine_of=make_engines(engine_name, memory_limit),
            now=now,
            screener=Screener(cache, loaded.key),
        )
        options = RunOptions(
            zone=zone, skew=skew / 100, whole=not (names or stories or no_baselines)
        )
        prepared = prepare_worker(plan, workspace, state, options=options)
        show_diagnostics(prepared.problems)
        try:
            opened, step = fill_gaps(
                prepared, state, None if within == ALL_TIME else within, now=now, clock=clock
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
    if step.failed or prepared.problems or loaded.content.failed_files:
        sys.exit(EXIT_INPUT)
