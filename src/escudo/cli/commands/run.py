"""``escudo run``: detections by their schedules, over a lake that others fill."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from threading import Event

import click

from escudo.actions.engines import make_engines
from escudo.actions.hunt import plan_hunt
from escudo.actions.maintain import MAINTAIN_SECONDS, Maintenance
from escudo.actions.outbox import OutboxSink
from escudo.actions.run import RunOptions, prepare_worker, run_daemon, run_once
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
    policy_option,
    sources_option,
)
from escudo.cli.progress import show_diagnostics
from escudo.cli.schedule_options import open_state, read_now, schedule_options, state_option
from escudo.cli.schedule_view import describe_step, summarize_step
from escudo.cli.sink_options import (
    DEAD_LETTERS,
    FailureTeller,
    dead_letters_option,
    open_sinks,
    sink_option,
)
from escudo.cli.terminal import escape_line, open_stderr
from escudo.core.interrupts import meet_stop
from escudo.core.metrics import Metrics, serve_metrics
from escudo.core.timerange import iso_utc
from escudo.detect.screening import Screener
from escudo.lake import Lake
from escudo.lake.policy import Policy, read_policy
from escudo.lake.tables import Tables
from escudo.schedule.clock import SystemClock
from escudo.schedule.status import read_status
from escudo.schedule.worker import Step
from escudo.sinks import Delivery, Sink
from escudo.sinks.dead_letters import DeadLetters


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
@sink_option()
@dead_letters_option
@policy_option
@click.option(
    "--maintain-every",
    type=click.FloatRange(min=0),
    default=MAINTAIN_SECONDS,
    show_default=True,
    help="With --daemon: seconds from one maintenance of the lake to the next; 0: none.",
)
@click.option(
    "--metrics",
    "metrics_place",
    metavar="HOST:PORT",
    help="With --daemon: serve metrics for Prometheus here.",
)
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
    sinks: tuple[str, ...],
    dead_letters: Path | None,
    policy_path: Path | None,
    maintain_every: float,
    metrics_place: str | None,
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
    if once and (metrics_place is not None or policy_path is not None):
        raise click.UsageError("--metrics and --policy are for --daemon")
    clock = SystemClock()
    now = read_now(now_text, clock.now())
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    plan = plan_hunt(loaded.content, names=names, stories=stories, with_baselines=not no_baselines)
    policy = Policy() if policy_path is None else read_policy(policy_path)
    opened = open_sinks(sinks)
    letters = dead_letters or lake_path / DEAD_LETTERS
    failures = FailureTeller(letters)
    with ExitStack() as stack:
        metrics = None
        if metrics_place is not None:
            metrics = Metrics()
            port = stack.enter_context(serve_metrics(metrics, metrics_place))
            if not quiet:
                open_stderr().print(f"metrics at port {port}, /metrics")
        lake = stack.enter_context(Lake.open(lake_path, create=False, tables=tables))
        state = stack.enter_context(open_state(state_place, lake_path))
        for sink in opened:
            stack.callback(sink.close)
        meter = RunMeter(metrics, state)
        kept = DeadLetters(letters)

        def tell_delivery(sink: Sink, delivery: Delivery, seconds: float) -> None:
            failures.tell(sink, delivery, seconds)
            meter.count_delivery(sink, delivery, seconds)

        if not once:
            stack.enter_context(Maintenance(lake, policy, every=maintain_every, metrics=metrics))
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
        outlets = [OutboxSink(sink, kept, tell_delivery) for sink in opened]
        prepared = prepare_worker(plan, workspace, state, options=options, sinks=outlets)
        show_diagnostics(prepared.problems)
        try:
            if not once:

                def follow(step: Step, at: float) -> None:
                    meter.count_step(step, at)
                    if not quiet:
                        _tell(step, at)

                run_daemon(
                    prepared.worker,
                    clock,
                    Event(),
                    follow=follow,
                    tell=lambda failure: show_diagnostics([failure]),
                )
                return
            step = run_once(prepared.worker, now, clock=clock)
            waiting = [s for s in read_status(state, now=now).sinks if s.waiting and s.error]
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
    failures.tell_end()
    for stuck in waiting:
        text = f"{stuck.name}: {stuck.waiting:,} findings wait for the next run: {stuck.error}"
        open_stderr().print(escape_line(f"error[SNK006]: {text}"))
    if (
        waiting
        or step.failed
        or prepared.problems
        or loaded.content.failed_files
        or failures.failed
    ):
        sys.exit(EXIT_INPUT)


def _tell(step: Step, now: float) -> None:
    if sys.stdout.isatty():
        open_stderr().print(f"{iso_utc(now)} {summarize_step(step)}")
    else:
        sys.stdout.write(dump_json({"time": iso_utc(now), **describe_step(step)}) + "\n")
        sys.stdout.flush()
