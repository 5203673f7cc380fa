"""``escudo follow``: logs as they come into a lake, and what detections find in them."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import click

from escudo.actions.engines import make_engines
from escudo.actions.follow import follow_logs, plan_arrival
from escudo.actions.follow_metrics import MeteredListener, count_delivery
from escudo.actions.hunt import plan_hunt
from escudo.actions.maintain import MAINTAIN_SECONDS, Maintenance
from escudo.actions.narrowing import Narrowing
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.follow_view import FollowView
from escudo.cli.options import (
    content_options,
    date_order_option,
    engine_options,
    lake_option,
    load_keyed_content,
    logs_argument,
    open_cache,
    policy_option,
    sources_option,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.sink_options import (
    DEAD_LETTERS,
    FailureTeller,
    dead_letters_option,
    open_sinks,
    sink_option,
)
from escudo.content.elements.detection import STATUSES, TYPES
from escudo.core.interrupts import meet_stop
from escudo.core.metrics import Metrics, serve_metrics
from escudo.detect.screening import Screener
from escudo.findings.notable import SEVERITIES
from escudo.inputs import FollowOptions
from escudo.inputs.following import COMMIT_SECONDS, SETTLE_SECONDS
from escudo.lake import Lake
from escudo.lake.policy import Policy, read_policy
from escudo.lake.tables import Tables
from escudo.sinks import Delivery, Finding, Sink
from escudo.sinks.dispatch import Dispatcher
from escudo.sources.date_order import DateOrder

_FORMATS = ("lines", "jsonl")


@click.command()
@logs_argument(required=True)
@lake_option(required=True)
@sources_option
@date_order_option
@content_options
@click.option("--detection", "names", multiple=True, help="Only this detection (name or id).")
@click.option("--story", "stories", multiple=True, help="Only detections of this analytic story.")
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice(TYPES, case_sensitive=False),
    help="Only detections of this type; repeatable, as are the next ones.",
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(STATUSES),
    help="Only detections of this status; deprecated ones run only if they are asked for.",
)
@click.option("--exclude", multiple=True, help="Not this detection (name or id).")
@click.option(
    "--min-severity",
    type=click.Choice(SEVERITIES),
    help="Only detections whose findings are at least so severe.",
)
@click.option("--once", is_flag=True, help="Read what is there, then end.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.05),
    default=COMMIT_SECONDS,
    show_default=True,
    help="Seconds from one commit to the next while events come.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=SETTLE_SECONDS,
    show_default=True,
    help="Seconds without change after which an event log or archive is read.",
)
@engine_options
@sink_option()
@dead_letters_option
@policy_option
@click.option(
    "--maintain-every",
    type=click.FloatRange(min=0),
    default=MAINTAIN_SECONDS,
    show_default=True,
    help="Seconds from one maintenance of the lake to the next; 0: none.",
)
@click.option(
    "--metrics",
    "metrics_place",
    metavar="HOST:PORT",
    help="Serve metrics for Prometheus here.",
)
@click.option("--quiet", is_flag=True, help="Only findings and errors.")
@format_option(_FORMATS)
def command(
    logs: Sequence[Path],
    content_paths: Sequence[Path],
    overlay: Path | None,
    names: Sequence[str],
    stories: Sequence[str],
    types: tuple[str, ...],
    statuses: tuple[str, ...],
    exclude: tuple[str, ...],
    min_severity: str | None,
    once: bool,
    every: float,
    settle: float,
    engine_name: str,
    memory_limit: str | None,
    sinks: tuple[str, ...],
    dead_letters: Path | None,
    policy_path: Path | None,
    maintain_every: float,
    metrics_place: str | None,
    lake_path: Path,
    tables: Tables,
    date_order: DateOrder | None,
    quiet: bool,
    format_: str | None,
) -> None:
    """Read LOGS (folders, files that grow, - for stdin) as they come, show what detections find.

    Files that grow (JSON lines, event XML, CSV, classic text) are read on from where they were
    left, through rotations; event logs and archives whole, once they have settled. Each event is
    in the lake once, however often this is stopped or killed. Ctrl-C ends it.

    Detections run on each batch of events where that finds what a later hunt would; the others
    (those that count over an hour, say) are named with --verbose, and left to their schedule.

    The exit code is 1 where part of the input was rejected, a detection could not run, or a sink
    did not take a finding.
    """
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    narrowing = Narrowing(
        types=types, statuses=statuses, exclude=exclude, min_severity=min_severity
    )
    chosen = plan_hunt(loaded.content, names=names, stories=stories, narrowing=narrowing)
    plan = plan_arrival(chosen.detections, loaded.content, cache=cache, key=loaded.key)
    policy = Policy() if policy_path is None else read_policy(policy_path)
    opened = open_sinks(sinks)
    view = FollowView(choose_format(format_, _FORMATS), quiet=quiet)
    view.tell_plan(plan)
    options = FollowOptions(once=once, every=every, settle=settle, date_order=date_order)
    letters = dead_letters or lake_path / DEAD_LETTERS
    failures = FailureTeller(letters)
    with ExitStack() as stack:
        metrics = None
        if metrics_place is not None:
            metrics = Metrics()
            port = stack.enter_context(serve_metrics(metrics, metrics_place))
            view.tell_metrics(metrics_place, port)
        lake = stack.enter_context(Lake.open(lake_path, tables=tables))

        def tell_delivery(sink: Sink, delivery: Delivery, seconds: float) -> None:
            failures.tell(sink, delivery, seconds)
            if metrics is not None:
                count_delivery(metrics, sink, delivery, seconds=seconds)

        dispatcher = stack.enter_context(Dispatcher(opened, letters, tell_delivery))
        stack.enter_context(
            Maintenance(
                lake,
                policy,
                every=0 if once else maintain_every,
                metrics=metrics,
                tell=view.tell_maintenance,
            )
        )
        workspace = Workspace(
            content=loaded.content,
            lake=lake,
            engine_of=make_engines(engine_name, memory_limit),
            now=time.time(),
            screener=Screener(cache, loaded.key),
        )
        listener = MeteredListener(metrics, view)

        def deliver(findings: Sequence[Finding]) -> None:
            view.show_findings(findings)
            dispatcher.send(findings)

        arrivals = follow_logs(
            logs, workspace, plan, options=options, deliver=deliver, listener=listener
        )
        with suppress(KeyboardInterrupt), closing(arrivals):  # that is how it ends
            for arrival in arrivals:
                listener.count_arrival(arrival)
                view.tell_arrival(arrival)
        meet_stop()
    view.tell_end()
    failures.tell_end()
    if view.failed or failures.failed or loaded.content.failed_files:
        sys.exit(EXIT_INPUT)
