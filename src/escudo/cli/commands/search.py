"""``escudo search``: SPL over a lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.cli.options import (
    content_options,
    engine_options,
    engines,
    lake_option,
    load_content,
    time_options,
    time_range,
)
from escudo.cli.output import chosen, format_option, rows_of, write_rows
from escudo.cli.progress import show, stderr
from escudo.engines.execute import run_search
from escudo.lake import Lake
from escudo.lake.effects import carry_out
from escudo.lake.knowledge import LakeKnowledge

_INTERNAL = ("_event_id", "source_file", "_key")


@click.command()
@click.argument("spl")
@lake_option(required=True)
@content_options
@time_options
@engine_options
@click.option(
    "--allow-delete",
    is_flag=True,
    help="Let `delete` take the events that it finds out of the lake.",
)
@click.option(
    "--save-job", "job", default=None, help="Keep the results under this name, for `loadjob`."
)
@format_option()
def command(
    spl: str,
    lake_path: Path,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    engine_name: str,
    memory_limit: str | None,
    allow_delete: bool,
    job: str | None,
    format_: str | None,
) -> None:
    """Run SPL over a lake, over all time unless --earliest or --latest say otherwise.

    `-` reads the search from standard input. Macros and lookups come from Escudo's own content
    and from --content; what outputlookup, collect and fit have written is in the lake, and goes
    before the content's.
    """
    now = time.time()
    text = sys.stdin.read() if spl == "-" else spl
    content = load_content(content_paths, overlay)
    with Lake.open(lake_path, create=False) as lake:
        snapshot = lake.snapshot()
        result = run_search(
            text,
            engines(engine_name, memory_limit)(snapshot),
            snapshot,
            LakeKnowledge(content.knowledge, lake.kept),
            now=now,
            within=time_range(earliest, latest, now),
        )
        show(result.diagnostics)
        done = carry_out(
            result.compiled.effects,
            lake,
            content.knowledge,
            search=f"{now:.3f}",
            may_delete=allow_delete,
        )
        fields = [n for n in result.table.column_names if n not in _INTERNAL]
        if job is not None:
            lake.kept.keep_job(job, result.table.select(fields))
    for change in done:
        stderr().print(str(change), markup=False)
    shape = chosen(format_)
    count = write_rows(rows_of(result.table.select(fields)), fields, shape)
    if shape == "table":
        stderr().print(f"{count:,} rows in {time.time() - now:.2f} s")
