"""``escudo baseline``: what detections compare with, learned from a lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from escudo.actions.baseline import choose_baselines, learn_baselines
from escudo.actions.engines import EngineChoice
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.baseline_view import FIELDS, list_runs, summarize_runs
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_content,
    parse_time_range,
    sources_option,
    time_options,
)
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.progress import follow_items, show_diagnostics
from escudo.cli.terminal import open_stderr
from escudo.lake import Lake
from escudo.lake.place import LakePlace
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
    lake_path: LakePlace,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    names: Sequence[str],
    detections: Sequence[str],
    earliest: str,
    latest: str,
    engine: EngineChoice,
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
    baselines = choose_baselines(content, names=names, detections=detections)
    within = parse_time_range(earliest, latest, now)
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        workspace = Workspace(
            content=content,
            lake=lake,
            engine_of=engine.make(),
            now=now,
            within=within,
        )
        follow = partial(follow_items, label="running baselines", quiet=quiet)
        runs = learn_baselines(baselines, workspace, follow=follow)
    show_diagnostics([d for run in runs for d in run.diagnostics])
    shape = choose_format(format_)
    write_rows(list_runs(runs, in_words=shape == "table"), FIELDS, shape)
    if not quiet:
        open_stderr().print(summarize_runs(runs))
    if any(run.failed for run in runs) or content.failed_files:
        sys.exit(EXIT_INPUT)
