"""``escudo run``: detections by their schedules, over a lake that others fill."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import click

from escudo.actions.engines import EngineChoice
from escudo.actions.follow_metrics import count_deliveries
from escudo.actions.run import prepare_worker, run_daemon, run_once
from escudo.actions.run_metrics import RunMeter
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
from escudo.cli.schedule_options import Terms, schedule_options
from escudo.cli.schedule_view import describe_step, summarize_step, tell_failed
from escudo.cli.service_options import Service, service_options
from escudo.cli.sink_options import Outlets, outlet_options
from escudo.cli.state_options import open_state, state_option
from escudo.cli.terminal import escape_line, open_stderr
from escudo.core.errors import Diagnostic
from escudo.core.interrupts import meet_stop
from escudo.core.timerange import iso_utc
from escudo.lake import Lake
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.schedule.clock import SystemClock
from escudo.schedule.status import read_status
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
@outlet_options
@service_options(begin="With --daemon: ")
@click.option("--quiet", is_flag=True, help="Tell nothing of what is done.")
def command(
    lake_path: LakePlace,
    tables: Tables,
    state_place: str | None,
    content_paths: Sequence[Path],
    overlay: Path | None,
    once: bool,
    continuous: bool,
    terms: Terms,
    engine: EngineChoice,
    outlets: Outlets,
    service: Service,
    quiet: bool,
) -> None:
    """Run detections over a lake by their schedules; what they find is written in the lake.

    Each window of a search is run once, whoever is killed meanwhile, or is told as a gap by `escudo
    status`; `escudo backfill` runs gaps. Data that comes late opens the windows of its time again,
    and what was found already is found once. Several workers share a state.

    The exit code is 1 if a search failed; the others have run.
    """
    if terms.has_now and not once:
        raise click.UsageError("--now is for --once: a daemon has the machine's clock")
    if once and (service.metrics_place is not None or service.policy is not None):
        raise click.UsageError("--metrics and --policy are for --daemon")
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    plan = terms.plan(loaded.content)
    outlet = outlets.open(lake_path)
    with ExitStack() as stack:
        metrics = stack.enter_context(service.serve_metrics(quiet=quiet))
        if metrics is not None:
            outlet.count = count_deliveries(metrics)
        lake = stack.enter_context(Lake.open(lake_path, create=False, tables=tables))
        state = stack.enter_context(open_state(state_place, lake_path))
        stack.enter_context(outlet)
        if not once:
            stack.enter_context(service.maintain(lake, metrics, _tell_failure))
        engines = engine.make(sparing=True)
        workspace = Workspace.prepare(loaded, lake, engine_of=engines, cache=cache, now=terms.now)
        options = terms.make_options(continuous=continuous)
        prepared = prepare_worker(plan, workspace, state, options=options, outlet=outlet.dispatcher)
        show_diagnostics(prepared.problems)
        try:
            if not once:
                meter = RunMeter(metrics, state)

                def follow(step: Step, at: float) -> None:
                    meter.count_step(step, at)
                    if not quiet:
                        _tell(step, at)

                run_daemon(
                    prepared.worker, SystemClock(), Event(), follow=follow, tell=_tell_failure
                )
                return
            step = run_once(prepared.worker, terms.now, clock=SystemClock())
            waiting = [s for s in read_status(state, now=terms.now).sinks if s.waiting and s.error]
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
    tell_failed(step)
    outlet.tell_end()
    for stuck in waiting:
        text = f"{stuck.name}: {stuck.waiting:,} findings wait for the next run: {stuck.error}"
        open_stderr().print(escape_line(f"error[SNK006]: {text}"))
    if waiting or step.failed or prepared.problems or loaded.content.failed_files or outlet.failed:
        sys.exit(EXIT_INPUT)


def _tell_failure(failure: Diagnostic) -> None:
    show_diagnostics([failure])


def _tell(step: Step, now: float) -> None:
    if sys.stdout.isatty():
        open_stderr().print(f"{iso_utc(now)} {summarize_step(step)}")
    else:
        sys.stdout.write(dump_json({"time": iso_utc(now), **describe_step(step)}) + "\n")
        sys.stdout.flush()
