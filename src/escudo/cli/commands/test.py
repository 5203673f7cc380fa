"""``escudo test``: run the tests of detections."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO

import click
from platformdirs import user_cache_path

from escudo.actions.benign import Allowed, read_allowed, run_benign
from escudo.actions.changed_content import Changes, list_changed_files
from escudo.actions.choose_detections import choose_detections, sort_arguments
from escudo.actions.engines import make_engines
from escudo.actions.ingest import ingest_logs
from escudo.actions.lake_cache import LakeCache
from escudo.actions.run_apart import BenchPlan, count_processes, run_tests_apart
from escudo.actions.run_tests import (
    PlannedTest,
    TestBench,
    TestOptions,
    TestReport,
    plan_test,
    run_tests,
)
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_BLIND, EXIT_INPUT
from escudo.cli.json_text import dump_json
from escudo.cli.options import content_options, load_content, sources_option
from escudo.cli.output import choose_format, format_option
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import IngestProgress, count_items, follow_items, show_diagnostics
from escudo.cli.sarif import build_sarif
from escudo.cli.terminal import open_console
from escudo.cli.testing_view import report_to_dict, show_report
from escudo.content import Content, Detection
from escudo.content.codes import CODES as CONTENT_CODES
from escudo.core.errors import EscudoError
from escudo.core.ordered_map import map_in_order
from escudo.core.whole_file import check_place, write_whole
from escudo.detect.attack_data import DataFinder, Fetch
from escudo.detect.codes import CODES as DETECT_CODES
from escudo.detect.testing import TestResult
from escudo.findings.codes import CODES as FINDINGS_CODES
from escudo.lake import Lake
from escudo.lake.tables import Tables
from escudo.spl import CODES as SPL_CODES
from escudo.startup import prepare_process, spare_collections

_FORMATS = ("table", "json", "junit", "sarif")
_MOST_JOBS = 4
_FETCHED_AT_ONCE = 4

Write = Callable[[TestReport, IO[bytes]], None]


def _write_json(report: TestReport, stream: IO[bytes]) -> None:
    stream.write(dump_json(report_to_dict(report), indent=True).encode() + b"\n")


def _write_junit(report: TestReport, stream: IO[bytes]) -> None:
    write: Write = import_module("escudo.cli.junit_file").write_junit
    write(report, stream)


def _write_sarif(report: TestReport, stream: IO[bytes]) -> None:
    codes = {**SPL_CODES, **CONTENT_CODES, **DETECT_CODES, **FINDINGS_CODES}
    problems = [p for result in report.failed for p in result.problems]
    stream.write(dump_json(build_sarif(problems, codes), indent=True).encode() + b"\n")


_WRITERS: Mapping[str, Write] = {
    "json": _write_json,
    "junit": _write_junit,
    "sarif": _write_sarif,
}
_ENDINGS: Mapping[str, str] = {".json": "json", ".xml": "junit", ".sarif": "sarif"}


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
@click.option(
    "--attack-data",
    "data_folders",
    multiple=True,
    type=PlaceType("attack data", exists=True, file_okay=False),
    help="Checkout or folder of attack data, where copies of URLs are looked for; repeatable.",
)
@click.option("--offline", is_flag=True, help="Fetch nothing.")
@click.option(
    "--data-cache",
    type=PlaceType("cache", file_okay=False),
    help="Where what is fetched is kept [default: in the user's cache folder].",
)
@click.option(
    "--max-download",
    type=click.IntRange(min=1),
    default=1024,
    show_default=True,
    help="MB that one file to be fetched may have.",
)
@click.option(
    "--download-seconds",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Seconds that one file may take to be fetched.",
)
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
    help=f"Write the results to this file, as its name ends ({', '.join(_ENDINGS)}); repeatable.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help=f"Processes that run tests [default: up to {_MOST_JOBS}, where there are many tests].",
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
    data_folders: Sequence[Path],
    offline: bool,
    data_cache: Path | None,
    max_download: int,
    download_seconds: int,
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
    files = [(path, _find_writer(path)) for path in outputs]
    begun = time.perf_counter()
    chosen = sort_arguments(targets, content_paths)
    content = load_content(chosen.content, overlay)
    detections = choose_detections(chosen, content)
    if revision is not None:
        files_changed = (list_changed_files(path, revision) for path in chosen.content)
        changes = Changes(content, frozenset().union(*files_changed))
        detections = list(changes.keep(detections))
    if synthesise:
        spare_collections()
        follow = partial(follow_items, label="making events", quiet=quiet)
        engine_of = make_engines("duckdb")
        # What makes events is only imported where some are made.
        synthesis = import_module("escudo.actions.synthesise").synthesise_detections(
            detections, content, tables, engine_of=engine_of, write=write_to, follow=follow
        )
        show = import_module("escudo.cli.synthesis_view").show_synthesis
        shape = choose_format(format_, ("table", "json"))
        if shape == "json":
            sys.stdout.write(dump_json(synthesis.summarise(), indent=True) + "\n")
        else:
            show(synthesis, open_console(), verbose=details)
        if synthesis.failed:
            sys.exit(EXIT_INPUT)
        return
    cache = _find_cache()
    options = TestOptions(
        now=time.time(),
        strict=strict,
        drilldowns=drilldowns,
        nearest=nearest,
        needs_data=require_data,
    )
    untested: tuple[Detection, ...] = ()
    if benign:
        allowed = read_allowed(allow, content) if allow is not None else {}
        results = _run_benign(benign, content, detections, allowed, tables=tables, quiet=quiet)
    else:
        untested = tuple(d for d in detections if not d.tests)
        plan = BenchPlan(
            content=content,
            lakes=None if cache is None else cache / "test-lakes",
            sources=tuple({Path(f.definition.file).parent for f in tables.families.own}),
            options=options,
            prepare=prepare_process,
        )
        with tempfile.TemporaryDirectory(prefix="escudo-data-") as passing:
            kept = data_cache or (cache or Path(passing)) / "attack-data"
            fetch = None if offline else partial(_make_fetch, max_download, download_seconds)
            finder = DataFinder(data_folders, kept=kept, make_fetch=fetch)
            threads = 1 if offline else _FETCHED_AT_ONCE
            planned = _plan(detections, finder, threads=threads, quiet=quiet)
            processes = jobs or count_processes(planned, min(_MOST_JOBS, os.cpu_count() or 1))
            results = _run_tests(planned, plan, processes, tables=tables, quiet=quiet)
    report = TestReport(tuple(results), untested, time.perf_counter() - begun)
    shape = choose_format(format_, _FORMATS)
    if shape == "table":
        show_report(report, open_console(), verbose=details)
    else:
        _WRITERS[shape](report, sys.stdout.buffer)
    for path, write in files:
        with write_whole(path) as stream:
            write(report, stream)
    if report.failed or content.failed_files:
        sys.exit(EXIT_INPUT)
    if report.blind:
        sys.exit(EXIT_BLIND)


def _plan(
    detections: Sequence[Detection], finder: DataFinder, *, threads: int, quiet: bool
) -> list[PlannedTest]:
    """The tests with their data; what has to be fetched may take a while."""
    tests = [(d, t) for d in detections for t in d.tests]
    planned = map_in_order(lambda both: plan_test(*both, finder), tests, threads=threads)
    followed = follow_items(tests, "looking for data", quiet=quiet)
    return [plan for _, plan in zip(followed, planned, strict=True)]


def _run_tests(
    planned: Sequence[PlannedTest],
    plan: BenchPlan,
    processes: int,
    *,
    tables: Tables,
    quiet: bool,
) -> list[TestResult]:
    """The results in the order of the tests, by this process or by some others."""
    results: dict[int, TestResult] = {}
    with count_items(len(planned), "running tests", quiet=quiet) as advance, ExitStack() as stack:
        if processes > 1:
            ran = run_tests_apart(planned, plan, processes)
        else:
            lakes = LakeCache(plan.lakes, tables)
            stack.callback(lakes.close)
            bench = TestBench(
                plan.content, lakes, engine_of=make_engines("duckdb"), options=plan.options
            )
            ran = run_tests(planned, bench)
        for number, result in ran:
            results[number] = result
            advance(len(results), len(planned))
    return [results[number] for number in sorted(results)]


def _run_benign(
    logs: Sequence[Path],
    content: Content,
    detections: Sequence[Detection],
    allowed: Allowed,
    *,
    tables: Tables,
    quiet: bool,
) -> list[TestResult]:
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


def _find_writer(path: Path) -> Write:
    shape = _ENDINGS.get(path.suffix.lower())
    if shape is None:
        message = f"{path}: its name must end in one of {', '.join(_ENDINGS)}"
        raise EscudoError("CLI010", message)
    check_place(path)
    return _WRITERS[shape]


def _find_cache() -> Path | None:
    """Where lakes of test data and downloads are kept; nowhere if ``ESCUDO_CACHE`` is empty."""
    named = os.environ.get("ESCUDO_CACHE")
    if named is not None:
        return Path(named) if named else None
    return user_cache_path("escudo")


def _make_fetch(most_megabytes: int, most_seconds: int) -> Fetch:
    """What fetches; its libraries take a while to import."""
    downloads = import_module("escudo.detect.downloads")
    limits = downloads.DownloadLimits(
        most_bytes=most_megabytes << 20, most_seconds=float(most_seconds)
    )
    fetch: Fetch = downloads.Downloader(limits)
    return fetch
