"""``escudo explain``: what a search becomes, what it reads, and what that costs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import sqlglot

from escudo.actions.engines import ENGINES, make_engines
from escudo.actions.explain import Read, SearchExplanation, explain_searches
from escudo.actions.named_search import list_content
from escudo.actions.workspace import Workspace
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    lake_option,
    load_content,
    open_lake,
    parse_time_range,
    read_searches,
    sources_option,
    time_options,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.terminal import open_console
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables

_FORMATS = ("text", "json")


@click.command()
@click.argument("search")
@lake_option(required=False, existing=True, text="Explain over this lake [default: an empty one].")
@sources_option
@content_options
@time_options
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="The engine whose SQL and plan are shown.",
)
@click.option("--run", "measured", is_flag=True, help="Run it, and show the measured costs.")
@format_option(_FORMATS)
def command(
    search: str,
    lake_path: LakePlace | None,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    engine_name: str,
    measured: bool,
    format_: str | None,
) -> None:
    """Show SEARCH (SPL, a file, or a detection's name) with its macros expanded, the tables and
    columns it reads, its time range, its SQL and the engine's plan. Nothing is written."""
    now = time.time()
    content = load_content([*content_paths, *list_content([search])], overlay)
    with open_lake(lake_path, tables) as lake:
        workspace = Workspace(
            content=content,
            lake=lake,
            engine_of=make_engines(engine_name),
            now=now,
            within=parse_time_range(earliest, latest, now),
        )
        searches = read_searches(search, content)
        explanations = explain_searches(searches, workspace, measured=measured)
    if choose_format(format_, _FORMATS) == "json":
        shown = [explanation.to_dict() for explanation in explanations]
        sys.stdout.write(dump_json(shown, indent=True) + "\n")
        return
    for explanation in explanations:
        _show(explanation)


def _show(explanation: SearchExplanation) -> None:
    out = open_console()
    out.print(explanation.name, style="bold")
    out.print("\nSearch, macros expanded", style="bold")
    out.print(explanation.pipeline)
    out.print("\nReads", style="bold")
    for read in map(Read.to_dict, explanation.reads):
        span = f"{read['earliest'] or 'the beginning'} to {read['latest'] or 'the end'}"
        out.print(f"  {read['table']}: {read['files']} files, {span}")
        out.print(f"    {', '.join(read['columns'])}")
    if not explanation.reads:
        out.print("  no table")
    for reason in explanation.deferred:
        out.print(f"  decided while running: {reason}")
    dialect = explanation.engine
    out.print(f"\nSQL ({dialect})", style="bold")
    pretty_sql = sqlglot.transpile(explanation.sql, read=dialect, write=dialect, pretty=True)[0]
    out.print(pretty_sql)
    out.print("\nPlan", style="bold")
    out.print(explanation.plan)
    cost = f"compiled in {explanation.compile_ms} ms"
    if explanation.run_ms is not None:
        cost += f", {explanation.rows:,} rows in {explanation.run_ms} ms"
    out.print(cost)
