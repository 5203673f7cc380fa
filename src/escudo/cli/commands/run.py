"""``escudo run``: detections by their schedules, over a lake that others fill."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from threading import Event

import click

from escudo.actions.engines import make_engines
from escudo.actions.hunt import plan_hunt
from escudo.actions.run import RunOptions, prepare_worker, run_daemon, run_once
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_keyed_content,
    open_cache,
    sources_option,
)
from escudo.cli.progress import show_diagnostics
from escudo.cli.schedule_options import open_state, read_now, schedule_options, state_option
from escudo.cli.schedule_view import describe_step, summarize_step
from escudo.cli.terminal import open_stderr
from escudo.core.interrupts import meet_stop
from escudo.core.timerange import iso_utc
from escudo.detect.screening import Screener
from escudo.lake import Lake
from escudo.lake.tables import Tables
from escudo.schedule.clock import SystemClock
from escudo.schedule.worker import Step


@click.command()
@lake_option(required=True)
@sources_option
@state_option
@content_options
@click.option(
    "--once/--daemon",
    default=True,
    show_default=True,
    help="Run what is due and end, or stay and run what becomes due.",
)
@click.option(
    "--continuous",
    is_flag=True,
    help="Run every window that was missed; else the last one runs, and the others are gaps.",
)
@schedule_options
@engine_options
@click.option("--quiet", is_flag=True, help="Tell nothing of what is done.")
def command(
    lake_path: Path,
    tables: Tables,
    state_place: str | None,
    content_paths: Sequence[Path],
    overlay: Path | None,
    once: bool,
    continuous: bool,
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
    """Run detections over a lake by their schedules; what they find is written in the lake.

    Each window of a search is run once, whoever is killed meanwhile, or is told as a gap by `escudo
    status`; `escudo backfill` runs gaps. Data that comes late opens the windows of its time again,
    and what was found already is found once. Several workers share a state.

    The exit code is 1 if a search failed; the others have run.
    """
    if now_text and not once:
        raise click.UsageError("--now is for --once: a daemon has the machine's clock")
    clock = SystemClock()
    now = read_now(now_text, clock.now())
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
            zone=zone,
            skew=skew / 100,
            continuous=continuous,
            whole=not (names or stories or no_baselines),
        )
        prepared = prepare_worker(plan, workspace, state, options=options)
        show_diagnostics(prepared.problems)
        try:
            if not once:
                run_daemon(
                    prepared.worker,
                    clock,
                    Event(),
                    follow=_keep if quiet else _tell,
                    tell=lambda failure: show_diagnostics([failure]),
                )
                return
            step = run_once(prepared.worker, now, clock=clock)
        except KeyboardInterrupt:
            meet_stop()
            raise
        finally:
            prepared.worker.leave()
    if not quiet:
        if sys.stdout.isatty():
            open_stderr().print(summarize_step(step))
        else:
            sys.stdout.write(dump_json(describe_step(step)) + "\n")
    if step.failed or prepared.problems or loaded.content.failed_files:
        sys.exit(EXIT_INPUT)


def _tell(step: Step, now: float) -> None:
    if sys.stdout.isatty():
        open_stderr().print(f"{iso_utc(now)} {summarize_step(step)}")
    else:
        sys.stdout.write(dump_json({"time": iso_utc(now), **describe_step(step)}) + "\n")
        sys.stdout.flush()


def _keep(_step: Step, _now: float) -> None:
    """Tells nothing."""
