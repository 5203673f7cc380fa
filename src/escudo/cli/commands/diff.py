"""``escudo diff``: two states of content, what differs, and what that does to rows."""

from __future__ import annotations

import sys
import time
from functools import partial

import click

from escudo.actions.diff import Difference, RowsOf, compare_content
from escudo.actions.engines import make_engines
from escudo.cli import EXIT_INPUT
from escudo.cli.diff_view import describe_difference, list_lines, write_markdown
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    lake_option,
    open_lake,
    parse_time_range,
    sources_option,
    time_options,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.progress import follow_items
from escudo.cli.terminal import escape_controls
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables

_FORMATS = ("table", "json", "markdown")


@click.command()
@click.argument("before")
@click.argument("after", default=".")
@lake_option(required=False, existing=True, text="Run what changed over this lake, count the rows.")
@sources_option
@time_options
@click.option(
    "--rows",
    "most_rows",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Rows won and lost that are shown of a detection.",
)
@click.option("--exit-code", "strict", is_flag=True, help="Exit code 1 if anything differs.")
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option(_FORMATS)
def command(
    before: str,
    after: str,
    lake_path: LakePlace | None,
    tables: Tables,
    earliest: str,
    latest: str,
    most_rows: int,
    strict: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    """Compare two states of content: BEFORE and AFTER (by default the folder one is in).

    Each is a folder, a file, a Splunk app, or REF:PATH of a git repository, as in
    `escudo diff main:detections detections` and `escudo diff HEAD:. .`; a path that begins with a
    dot is below the folder one is in. Searches are compared by their trees, so layout does not
    count; the macros and lookups that a detection uses do.

    The exit code is 1 if an element was changed whose version was not raised, a file could not be
    loaded or a search not be run.
    """
    now = time.time()
    compare = partial(compare_content, before, after)
    if lake_path is None:
        difference = compare()
    else:
        within = parse_time_range(earliest, latest, now)
        with open_lake(lake_path, tables) as lake:
            rows_of = RowsOf(lake=lake, engine_of=make_engines("duckdb"), now=now, within=within)
            follow = partial(follow_items, label="running detections", quiet=quiet)
            difference = compare(rows_of=rows_of, follow=follow)
    show_difference(difference, choose_format(format_, _FORMATS), most_rows)
    if difference.failed or (strict and difference.comparison.changes):
        sys.exit(EXIT_INPUT)


def show_difference(difference: Difference, shape: str, most_rows: int) -> None:
    """Writes a difference to standard output, in one of the formats."""
    if shape == "json":
        text = dump_json(describe_difference(difference, most_rows), indent=True) + "\n"
    elif shape == "markdown":
        text = write_markdown(difference, most_rows)
    else:
        text = "\n".join(list_lines(difference, most_rows)) + "\n"
    sys.stdout.write(escape_controls(text) if sys.stdout.isatty() else text)
