"""``escudo test``: run the tests of detections."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

import click
from click.core import ParameterSource

from escudo.actions.benign import Allowed, read_allowed, run_benign
from escudo.actions.changed_content import Changes, list_changed_files
from escudo.actions.choose_detections import choose_detections, sort_arguments
from escudo.actions.engines import make_engines
from escudo.actions.ingest import ingest_logs
from escudo.actions.run_apart import BenchPlan
from escudo.actions.run_detection_tests import MOST_PROCESSES, run_detection_tests
from escudo.actions.run_tests import TestOptions, TestReport
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_BLIND, EXIT_INPUT
from escudo.cli.data_options import NAMES as DATA_NAMES
from escudo.cli.data_options import DataPlaces, data_options
from escudo.cli.json_text import dump_json
from escudo.cli.options import content_options, load_content, sources_option
from escudo.cli.output import choose_format, format_option
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import IngestProgress, follow_items, show_diagnostics
from escudo.cli.terminal import open_console
from escudo.cli.testing_files import ENDINGS, WRITERS, find_writer
from escudo.cli.testing_view import show_report
from escudo.content import Content, Detection
from escudo.core.disk_cache import find_cache_folder
from escudo.core.whole_file import write_whole
from escudo.lake import Lake
from escudo.lake.tables import Tables
from escudo.startup import prepare_process

_FORMATS = ("table", "json", "junit", "sarif")
_OF_TESTS = frozenset({"strict", "drilldowns", "require_data", "nearest", "jobs", *DATA_NAMES})
"""Parameters that only say how tests are run and judged."""


@click.command()
@click.argument("targets", nargs=-1, metavar="[PATH|NAME]...")
@content_options
@sources_option
@click.option(
    "--changed",
    "revision",
    is_flag=False,
    flag_value="HEAD",
    metavar="[=REF]",
    help="Only what a git change touches: detections, their macros, lookups and data; since the "
    "branch left REF [default: HEAD, what is not committed].",
)
@click.option(
    "--benign",
    multiple=True,
    type=PlaceType("log", exists=True),
    help="Instead of their tests, run the detections over these known-good logs; repeatable.",
)
@click.option(
    "--allow",
    type=PlaceType("file", exists=True, dir_okay=False),
    help="With --benign: YAML of detections and how many rows each may give [default: none].",
)
@click.option(
    "--synthesise",
    is_flag=True,
    help="Instead of their tests, run the detections over events made of their own conditions: "
    "some that must be found, and near-misses with one condition broken.",
)
@click.option(
    "--write",
    "write_to",
    type=PlaceType("attack data", file_okay=False),
    help="With --synthesise: a folder to keep the events in, as attack data with its tests.",
)
@click.option("--strict", is_flag=True, help="Look at every row, not up to the first good one.")
@click.option("--drilldowns", is_flag=True, help="Every drilldown must give rows.")
@data_options
@click.option("--require-data", is_flag=True, help="Fail where data is not here or not readable.")
@click.option(
    "--near",
    "nearest",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Near misses to show where a test found nothing.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"Write the results to this file, as its name ends ({', '.join(ENDINGS)}); repeatable.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help=f"Processes that run tests [default: up to {MOST_PROCESSES}, where there are many tests].",
)
@click.option("--details", is_flag=True, help="Show every test, also those that passed.")
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option(_FORMATS)
def command(
    targets: Sequence[str],
    content_paths: Sequence[Path],
    overlay: Path | None,
    tables: Tables,
    revision: str | None,
    benign: Sequence[Path],
    allow: Path | None,
    synthesise: bool,
    write_to: Path | None,
    strict: bool,
    drilldowns: bool,
    places: DataPlaces,
    require_data: bool,
    nearest: int,
    outputs: Sequence[Path],
    jobs: int | None,
    details: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    """Run the tests that detections have in their YAML, without a Splunk.

    PATH is a file or folder of content, NAME a detection's name, id, file name, or a pattern of
    them ('*wmi*'). Without one all of --content is tested, or the checkout that one is in.

    A test passes as in contentctl: at the first row whose risk and threat fields are filled; a risk
    field that is missing in a row before it fails the test. Data is a path, or a URL, which is
    fetched once. What no source of Escudo reads yet, and what is not here, is told apart and fails
    nothing.

    With --benign no test of a YAML is run: a detection fails if it gives more rows over the logs
    than --allow says. Those of type Hunting may give any number, unless it says one.

    The exit code is 1 if a test failed, 3 if tests were to be run and none could be, else 0.
    """
    if allow is not None and not benign:
        raise click.UsageError("--allow goes with --benign")
    if write_to is not None and not synthesise:
        raise click.UsageError("--write goes with --synthesise")
    shape = choose_format(format_, _FORMATS)
    if synthesise:
        _refuse("--synthesise", {*_OF_TESTS, "outputs", "benign"})
        if shape not in ("table", "json"):
            raise click.UsageError("--synthesise gives a table or JSON")
    elif benign:
        _refuse("--benign", _OF_TESTS)
    files = [(path, find_writer(path)) for path in outputs]
    chosen = sort_arguments(targets, content_paths)
    content = load_content(chosen.content, overlay)
    detections = choose_detections(chosen, content)
    if revision is not None:
        files_changed = (list_changed_files(path, revision) for path in chosen.content)
        changes = Changes(content, frozenset().union(*files_changed))
        detections = list(changes.keep(detections))
    if synthesise:
        _synthesise(
            detections,
            content,
            tables,
            write_to=write_to,
            shape=shape,
            details=details,
            quiet=quiet,
        )
        return
    if benign:
        allowed = read_allowed(allow, content) if allow is not None else {}
        report = _run_benign(benign, content, detections, allowed, tables=tables, quiet=quiet)
    else:
        options = TestOptions(
            now=time.time(),
            strict=strict,
            drilldowns=drilldowns,
            nearest=nearest,
            needs_data=require_data,
        )
        cache = find_cache_folder()
        plan = BenchPlan(
            content=content,
            lakes=None if cache is None else cache / "test-lakes",
            sources=tuple({Path(f.definition.file).parent for f in tables.families.own}),
            options=options,
            prepare=prepare_process,
        )
        with tempfile.TemporaryDirectory(prefix="escudo-data-") as passing:
            report = run_detection_tests(
                detections,
                places.open_finder((cache or Path(passing)) / "attack-data"),
                plan,
                tables=tables,
                processes=jobs,
                follow=partial(follow_items, quiet=quiet),
            )
    if shape == "table":
        show_report(report, open_console(), verbose=details)
    else:
        WRITERS[shape](report, sys.stdout.buffer)
    for path, write in files:
        with write_whole(path) as stream:
            write(report, stream)
    if report.stopped is not None:
        raise report.stopped
    if report.failed or content.failed_files:
        sys.exit(EXIT_INPUT)
    if report.blind:
        sys.exit(EXIT_BLIND)


def _refuse(mode: str, names: Collection[str]) -> None:
    """Raises UsageError where one of some parameters is given, which a mode has no use for."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name in names and given:
            raise click.UsageError(f"{parameter.opts[0]} does nothing with {mode}")


def _synthesise(
    detections: Sequence[Detection],
    content: Content,
    tables: Tables,
    *,
    write_to: Path | None,
    shape: str,
    details: bool,
    quiet: bool,
) -> None:
    # What makes events is only imported where some are made.
    report = import_module("escudo.actions.synthesise").synthesise_detections(
        detections,
        content,
        tables,
        engine_of=make_engines("duckdb"),
        write=write_to,
        follow=partial(follow_items, label="making events", quiet=quiet),
    )
    show_diagnostics(report.diagnostics)
    if shape == "json":
        sys.stdout.write(dump_json(report.summarise(), indent=True) + "\n")
    else:
        show = import_module("escudo.cli.synthesis_view").show_synthesis
        show(report, open_console(), verbose=details)
    if report.failed:
        sys.exit(EXIT_INPUT)


def _run_benign(
    logs: Sequence[Path],
    content: Content,
    detections: Sequence[Detection],
    allowed: Allowed,
    *,
    tables: Tables,
    quiet: bool,
) -> TestReport:
    with Lake.create_temporary(tables=tables) as lake:
        workspace = Workspace(
            content=content, lake=lake, engine_of=make_engines("duckdb"), now=time.time()
        )
        with IngestProgress(quiet=quiet) as progress:
            ingested = ingest_logs(logs, lake, progress=progress)
        show_diagnostics(ingested.report.diagnostics)
        ingested.require_logs()
        return run_benign(
            workspace,
            detections,
            allowed,
            follow=partial(follow_items, label="running detections", quiet=quiet),
        )
