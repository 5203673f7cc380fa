"""``escudo follow``: logs as they come into a lake, and what detections find in them."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import click

from escudo.actions.engines import EngineChoice
from escudo.actions.follow import follow_logs, plan_arrival
from escudo.actions.follow_metrics import MeteredListener, count_deliveries
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.detection_options import Choice, choice_options
from escudo.cli.follow_view import FollowView
from escudo.cli.options import (
    content_options,
    date_order_option,
    engine_options,
    lake_option,
    load_keyed_content,
    logs_argument,
    open_cache,
    sources_option,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.service_options import Service, service_options
from escudo.cli.sink_options import Outlets, outlet_options
from escudo.core.interrupts import meet_stop
from escudo.inputs import FollowOptions
from escudo.inputs.following import COMMIT_SECONDS, SETTLE_SECONDS
from escudo.lake import Lake
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.sinks import Finding
from escudo.sources.date_order import DateOrder

_FORMATS = ("lines", "jsonl")


@click.command()
@logs_argument(required=True)
@lake_option(required=True)
@sources_option
@date_order_option
@content_options
@choice_options
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
@outlet_options
@service_options()
@click.option("--quiet", is_flag=True, help="Only findings and errors.")
@format_option(_FORMATS)
def command(
    logs: Sequence[Path],
    content_paths: Sequence[Path],
    overlay: Path | None,
    choice: Choice,
    once: bool,
    every: float,
    settle: float,
    engine: EngineChoice,
    outlets: Outlets,
    service: Service,
    lake_path: LakePlace,
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
    chosen = choice.plan(loaded.content)
    plan = plan_arrival(chosen.detections, loaded.content, cache=cache, key=loaded.key)
    outlet = outlets.open(lake_path)
    view = FollowView(choose_format(format_, _FORMATS), quiet=quiet)
    view.tell_plan(plan)
    options = FollowOptions(once=once, every=every, settle=settle, date_order=date_order)
    with ExitStack() as stack:
        metrics = stack.enter_context(service.serve_metrics(quiet=quiet))
        if metrics is not None:
            outlet.count = count_deliveries(metrics)
        lake = stack.enter_context(Lake.open(lake_path, tables=tables))
        stack.enter_context(outlet)
        if not once:
            stack.enter_context(service.maintain(lake, metrics, view.tell_maintenance))
        engines = engine.make(sparing=True)
        workspace = Workspace.prepare(loaded, lake, engine_of=engines, cache=cache, now=time.time())
        listener = MeteredListener(metrics, view)

        def deliver(findings: Sequence[Finding]) -> None:
            view.show_findings(findings)
            outlet.dispatcher.send(findings)

        arrivals = follow_logs(
            logs, workspace, plan, options=options, deliver=deliver, listener=listener
        )
        with suppress(KeyboardInterrupt), closing(arrivals):  # that is how it ends
            for arrival in arrivals:
                listener.count_arrival(arrival)
                view.tell_arrival(arrival)
        meet_stop()
    view.tell_end()
    outlet.tell_end()
    if view.failed or outlet.failed or loaded.content.failed_files:
        sys.exit(EXIT_INPUT)
