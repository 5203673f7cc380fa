"""``escudo hunt``: from logs to findings in one command."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import IO

import click

from escudo.actions.context import Context, OpenedContexts, open_contexts
from escudo.actions.delivery import list_findings
from escudo.actions.engines import EngineChoice
from escudo.actions.hunt import HuntPlan, hunt_logs
from escudo.actions.hunt_report import Circumstances
from escudo.actions.hunt_summary import summarize
from escudo.actions.row_filter import RowFilter
from escudo.actions.run_report import count_run
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_BLIND, EXIT_INPUT
from escudo.cli.context_view import show_context
from escudo.cli.detection_options import Choice, choice_options
from escudo.cli.hunt_files import (
    WRITERS,
    FinishedHunt,
    find_writer,
    write_files,
    write_hunt,
    write_layer,
)
from escudo.cli.hunt_progress import HuntProgress
from escudo.cli.hunt_view import show_run, summarize_hunt
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    date_order_option,
    engine_options,
    lake_option,
    limits_options,
    load_keyed_content,
    logs_argument,
    open_cache,
    open_lake,
    parse_time_range,
    sources_option,
    time_options,
    zone_option,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.progress import follow_items, show_changes, show_diagnostics
from escudo.cli.sink_options import Outlets, outlet_options
from escudo.cli.summary_view import show_summary
from escudo.cli.terminal import SafeConsole, open_console, open_stderr, plain, show_paged
from escudo.core.errors import Severity
from escudo.core.whole_file import check_place
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.sources.date_order import DateOrder
from escudo.sources.opening import UnpackLimits


@click.command()
@logs_argument(required=False)
@sources_option
@limits_options
@date_order_option
@content_options
@choice_options
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="Show only rows of this host; repeatable, as --user is; * stands for any characters.",
)
@click.option("--user", "users", multiple=True, help="Show only rows of this user.")
@click.option(
    "--baselines",
    "with_baselines",
    is_flag=True,
    help="First run the baselines of these detections, over the time before --earliest.",
)
@time_options
@zone_option("detections, reports and formats for machines have UTC.")
@engine_options
@lake_option(required=False, text="Keep what is read in this lake [default: a temporary one].")
@click.option(
    "--details",
    is_flag=True,
    help="Show every row, not a summary; on a terminal through a pager.",
)
@click.option(
    "--drilldown",
    "opened",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Show the processes around the N worst findings, and the results of their drilldowns.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Write the rows, or a report (.html, .md), to this file, as its name ends "
    f"({', '.join(WRITERS)}); repeatable.",
)
@click.option(
    "--navigator",
    "navigator_path",
    type=click.Path(path_type=Path),
    help="Write a layer for MITRE's ATT&CK Navigator here: techniques, with what was found.",
)
@outlet_options
@click.option("--report", "report_path", type=click.File("wb"), help="Write a JSON report here.")
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option()
def command(
    logs: Sequence[Path],
    content_paths: Sequence[Path],
    overlay: Path | None,
    choice: Choice,
    hosts: tuple[str, ...],
    users: tuple[str, ...],
    with_baselines: bool,
    earliest: str,
    latest: str,
    zone: tzinfo,
    engine: EngineChoice,
    lake_path: LakePlace | None,
    tables: Tables,
    limits: UnpackLimits,
    date_order: DateOrder | None,
    details: bool,
    opened: int,
    outputs: tuple[Path, ...],
    navigator_path: Path | None,
    outlets: Outlets,
    report_path: IO[bytes] | None,
    quiet: bool,
    format_: str | None,
) -> None:
    """Read LOGS (files, folders, archives, - for stdin), run detections, report what they find.

    A table is a summary on one screen, the worst findings first; --details has every row. Other
    formats and --output have every row.

    Without LOGS the lake of --lake is hunted as it is. Escudo's own detections run, and those of
    --content; of many, those that can find nothing in the lake are told apart in a few scans and
    not run. The exit code is 1 where part of the input was rejected or a detection could not run;
    what was found beside it is shown all the same.
    It is 3 where events came in that no detection can see, whatever else is wrong: they look like
    Windows events in no known form, none of a file met a source, or processes have no names.

    Baselines fill lookups and fit models that detections compare with ("first time seen",
    outliers). With --baselines those of the content run first: over the time before --earliest, or
    over everything without it. In a lasting lake they stay (see `escudo baseline`).
    """
    if not logs and lake_path is None:
        raise click.UsageError("give LOGS to read, or a lake to hunt with --lake")
    files = [(path, find_writer(path)) for path in outputs]
    if navigator_path is not None:
        check_place(navigator_path)
        files.append((navigator_path, write_layer))
    if report_path is not None and report_path.name != "-":
        check_place(Path(report_path.name))
    begun, now = time.monotonic(), time.time()
    outlet = outlets.open(lake_path)
    shape = choose_format(format_)
    if opened and shape != "table":
        raise click.UsageError(f"--drilldown is for a table, not for {shape}: add --format table")
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    content = loaded.content
    plan = choice.plan(content, with_baselines=with_baselines)
    _tell_left_out(plan, quiet=quiet)
    within = parse_time_range(earliest, latest, now, zone)
    with open_lake(lake_path, tables, create=bool(logs)) as lake:
        engines = engine.make(sparing=True)
        workspace = Workspace.prepare(
            loaded, lake, engine_of=engines, cache=cache, now=now, within=within
        )
        progress = HuntProgress(lasting=lake_path is not None, quiet=quiet)
        done = hunt_logs(
            logs,
            workspace,
            plan,
            date_order=date_order,
            follower=progress,
            limits=limits,
            spread=engine.make_spread() if logs and lake_path is not None else None,
        )
        numbers = count_run(done.ingested.report, done.hunt, seconds=time.monotonic() - begun)
        circumstances = Circumstances(
            content=tuple(map(str, content_paths)),
            lake=None if lake_path is None else str(lake_path),
            asked=_list_asked(
                detection=choice.names,
                story=choice.stories,
                type=choice.narrowing.types,
                status=choice.narrowing.statuses,
                technique=choice.narrowing.techniques,
                exclude=choice.narrowing.exclude,
                min_severity=filter(None, [choice.narrowing.min_severity]),
                host=hosts,
                user=users,
            ),
        )
        shown = RowFilter(hosts=hosts, users=users).keep(done, content)
        try:
            if details or shape != "table":
                errors = [d for d in done.hunt.diagnostics if d.severity is Severity.ERROR]
                show_diagnostics(errors)
            show_changes(done.hunt.changes, quiet=quiet)
            if shape != "table":
                write_hunt(shown.hunt, shape, sys.stdout)
                if not quiet:
                    open_stderr().print(summarize_hunt(shown.hunt))
            if shape == "table" or files:
                follow = partial(follow_items, label="opening the worst findings", quiet=quiet)
                summary = summarize(shown, workspace)
                contexts = OpenedContexts()
                if shape == "table" and not summary.stopped:
                    worst = [finding.worst for finding in summary.findings[:opened]]
                    contexts = open_contexts(worst, workspace, zone=zone, follow=follow)
                finished = FinishedHunt(
                    shown,
                    summary,
                    workspace,
                    circumstances=circumstances,
                    follow=follow,
                    stop=contexts.stopped,
                )
                if shape == "table":
                    _show(finished, contexts.contexts, read=bool(logs), details=details, zone=zone)
                write_files(files, finished)
            with outlet:
                if outlets.texts:
                    outlet.dispatcher.send(list(list_findings(shown.hunt.judgements)))
            outlet.tell_end()
        finally:  # whatever becomes of what is shown, the hunt has these numbers
            if report_path is not None:
                report_path.write(dump_json(numbers, indent=True).encode() + b"\n")
    if done.hunt.stopped is not None:
        raise done.hunt.stopped
    if done.ingested.blind:
        sys.exit(EXIT_BLIND)
    if done.failed or content.failed_files or outlet.failed:
        sys.exit(EXIT_INPUT)


def _list_asked(**options: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The options that narrow a hunt, with their values."""
    given = {name: ", ".join(values) for name, values in options.items()}
    return tuple((f"--{name.replace('_', '-')}", text) for name, text in given.items() if text)


def _tell_left_out(plan: HuntPlan, *, quiet: bool) -> None:
    """Says which detections are not run, and why."""
    for detection in plan.disabled:
        open_stderr().print(
            f"{detection.name}: turned off by the content, so it is not run; "
            "`enabled: true` in an overlay turns it on"
        )
    if plan.deprecated and not quiet:
        told = "detection is" if plan.deprecated == 1 else "detections are"
        open_stderr().print(
            f"{plan.deprecated:,} deprecated {told} left out; --status deprecated asks for them"
        )


def _show(
    finished: FinishedHunt,
    contexts: Sequence[Context],
    *,
    read: bool,
    details: bool,
    zone: tzinfo,
) -> None:
    """A hunt for people: one screen, or all of it through a pager; and the contexts of the worst
    findings."""
    summary, hunt = finished.summary, finished.done.hunt

    def show(out: SafeConsole) -> None:
        if details:
            show_run(hunt, finished.done.ingested.report if read else None, out, zone=zone)
            out.print()
            out.print(summarize_hunt(hunt))
        else:
            show_summary(summary, out, zone)
        for finding, context in zip(summary.findings, contexts, strict=False):
            row = finding.worst
            title = f"{row.detection} on {row.host}" if row.host else row.detection
            out.print()
            out.print(plain(title, style="bold"))
            show_context(context, out, title="Processes around it (marked *)")

    if details or contexts:
        show_paged(show)
    else:
        show(open_console())
