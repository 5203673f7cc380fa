"""``escudo baseline``: what detections compare with, learned from a lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.cli import EXIT_INPUT
from escudo.cli.baseline_view import FIELDS, rows_of_runs, summary_of
from escudo.cli.options import (
    content_options,
    engine_options,
    engines,
    lake_option,
    load_content,
    sources_option,
    time_options,
    time_range,
)
from escudo.cli.output import chosen, format_option, write_rows
from escudo.cli.progress import show, stderr, tracked
from escudo.detect.baselines import named, needed, ordered, run_baselines
from escudo.lake import Lake
from escudo.lake.tables import Tables


@click.command()
@lake_option(required=True)
@sources_option
@content_options
@click.option("--baseline", "names", multiple=True, help="Only this baseline (name or id).")
@click.option(
    "--detection", "detections", multiple=True, help="Only the baselines of this detection."
)
@time_options
@engine_options
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option()
def command(
    lake_path: Path,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    names: Sequence[str],
    detections: Sequence[str],
    earliest: str,
    latest: str,
    engine_name: str,
    memory_limit: str | None,
    quiet: bool,
    format_: str | None,
) -> None:
    """Run baselines over a lake: the lookups they fill and the models they fit stay in it.

    All baselines of the content run, in the order of their names, unless --baseline or --detection
    choose some. They look at all time unless --earliest or --latest say otherwise: end the range
    where the detections' begins, or what is new to them is in the baseline already. The exit code
    is 1 if one could not run; the others have.
    """
    now = time.time()
    content = load_content(content_paths, overlay)
    if names or detections:
        baselines = named(content, names)
        baselines += needed(content, [content.detection(name) for name in detections])
        baselines = list({b.id or b.name: b for b in baselines}.values())
    else:
        baselines = ordered(content)
    within = time_range(earliest, latest, now)
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        engine_of = engines(engine_name, memory_limit)
        with tracked(baselines, "running baselines", quiet=quiet) as items:
            runs = list(run_baselines(items, content, lake, engine_of, within=within, now=now))
    show([d for run in runs for d in run.diagnostics])
    shape = chosen(format_)
    write_rows(rows_of_runs(runs, in_words=shape == "table"), FIELDS, shape)
    if not quiet:
        stderr().print(summary_of(runs), markup=False)
    if any(run.failed for run in runs) or content.failed_files:
        sys.exit(EXIT_INPUT)
