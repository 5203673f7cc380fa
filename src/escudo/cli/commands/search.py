"""``escudo search``: SPL over a lake."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import click
import pyarrow as pa

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
from escudo.cli.output import chosen, format_option, rows_of, write_rows
from escudo.cli.progress import show, stderr
from escudo.engines.execute import run_compiled, stream_compiled
from escudo.lake import Lake
from escudo.lake.effects import carry_out
from escudo.lake.knowledge import LakeKnowledge
from escudo.lake.tables import Tables
from escudo.spl.compile import compile_search

_INTERNAL = ("_event_id", "source_file", "_key")


@click.command()
@click.argument("spl")
@lake_option(required=True)
@sources_option
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
    tables: Tables,
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
    with Lake.open(lake_path, create=False, tables=tables) as lake:
        snapshot = lake.snapshot()
        engine = engines(engine_name, memory_limit)(snapshot)
        compiled = compile_search(
            text,
            snapshot,
            LakeKnowledge(content.knowledge, lake.artifacts),
            now=now,
            within=time_range(earliest, latest, now),
            runner=engine,
        )
        show(compiled.diagnostics)
        shape = chosen(format_)
        if shape in ("jsonl", "json") and job is None:
            found = stream_compiled(compiled, engine)
        else:
            found = iter([run_compiled(compiled, engine)])
        first = next(found, None)  # a search that cannot be run writes nothing
        done = carry_out(
            compiled.effects,
            lake,
            content.knowledge,
            search=f"{now:.3f}",
            may_delete=allow_delete,
        )
        if first is not None:
            first = visible(first)
            if job is not None:
                lake.artifacts.keep_job(job, first)
        for change in done:
            stderr().print(str(change), markup=False)
        chunks = chain([first], map(visible, found)) if first is not None else ()
        fields = first.column_names if first is not None else ()
        count = write_rows((row for t in chunks for row in rows_of(t)), fields, shape)
    if shape == "table":
        stderr().print(f"{count:,} rows in {time.time() - now:.2f} s")


def visible(rows: pa.Table) -> pa.Table:
    """The rows without the columns that are Escudo's own."""
    return rows.drop_columns([n for n in _INTERNAL if n in rows.column_names])
