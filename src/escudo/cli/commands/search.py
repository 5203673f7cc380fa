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
from escudo.core.errors import EscudoError
from escudo.engines.execute import run_search
from escudo.lake import Lake

_INTERNAL = ("_event_id", "source_file")


@click.command()
@click.argument("spl")
@lake_option(required=True)
@content_options
@time_options
@engine_options
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
    format_: str | None,
) -> None:
    """Run SPL over a lake, over all time unless --earliest or --latest say otherwise.

    `-` reads the search from standard input. Macros and lookups come from Escudo's own content
    and from --content.
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
            content.knowledge,
            now=now,
            within=time_range(earliest, latest, now),
        )
    show(result.diagnostics)
    if result.compiled.effects:
        kinds = ", ".join(sorted({type(e).__name__ for e in result.compiled.effects}))
        raise EscudoError("CLI008", f"the search would write ({kinds}); nothing was written")
    fields = [n for n in result.table.column_names if n not in _INTERNAL]
    shape = chosen(format_)
    count = write_rows(rows_of(result.table.select(fields)), fields, shape)
    if shape == "table":
        stderr().print(f"{count:,} rows in {time.time() - now:.2f} s")
