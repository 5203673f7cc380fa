"""``escudo explain``: what a search becomes, what it reads, and what that costs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson
import sqlglot

from escudo.cli.options import (
    ENGINES,
    content_options,
    engines,
    load_content,
    time_options,
    time_range,
)
from escudo.cli.output import console
from escudo.cli.searches import NamedSearch, searches
from escudo.core.catalog import Knowledge
from escudo.core.timerange import TimeRange, iso_utc
from escudo.engines.execute import Engine, run_compiled
from escudo.lake import Lake, Snapshot
from escudo.lake.knowledge import LakeKnowledge
from escudo.spl.compile import Compiled, compile_search
from escudo.spl.macros import expand
from escudo.spl.syntax.pretty_print import lay_out


@click.command()
@click.argument("search")
@click.option(
    "--lake",
    "lake_path",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Explain over this lake [default: an empty one].",
)
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
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "json")),
    help="text or json [default: text on a terminal, json in a pipe]",
)
def command(
    search: str,
    lake_path: Path | None,
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
    content = load_content(content_paths, overlay)
    within = time_range(earliest, latest, now)
    lake = Lake.open(lake_path, create=False) if lake_path else Lake.create_temporary()
    with lake:
        snapshot = lake.snapshot()
        engine = engines(engine_name, None)(snapshot)
        knowledge = LakeKnowledge(content.knowledge, lake.kept)
        found = [
            _explain(named, knowledge, snapshot, engine, within, now, measured)
            for named in searches(search, content)
        ]
    if (format_ or ("text" if sys.stdout.isatty() else "json")) == "json":
        sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    for item in found:
        _show(item)


def _explain(
    named: NamedSearch,
    knowledge: Knowledge,
    snapshot: Snapshot,
    engine: Engine,
    within: TimeRange,
    now: float,
    measured: bool,
) -> dict[str, Any]:
    begun = time.perf_counter()
    compiled = compile_search(
        named.text,
        snapshot,
        knowledge,
        now=now,
        within=within,
        runner=engine,
        file=named.file,
    )
    out: dict[str, Any] = {
        "name": named.name,
        "search": expand(named.text, knowledge, file=named.file).text,
        "pipeline": lay_out(compiled.pipeline),
        "fields": [{"name": name, "type": kind.value} for name, _, kind in compiled.output],
        "reads": _reads(compiled, snapshot),
        "deferred": list(compiled.deferred),
        "diagnostics": [
            {"code": d.code, "severity": d.severity.value, "message": d.message}
            for d in compiled.diagnostics
        ],
        "compile_ms": round((time.perf_counter() - begun) * 1000, 2),
        "engine": engine.name,
        "sql": engine.sql(compiled.query, compiled.scans),
        "plan": engine.explain(compiled.query, compiled.scans, compiled.tables, analyze=measured),
    }
    if measured:
        begun = time.perf_counter()
        rows = run_compiled(compiled, engine)
        out["rows"] = rows.num_rows
        out["run_ms"] = round((time.perf_counter() - begun) * 1000, 2)
    return out


def _reads(compiled: Compiled, snapshot: Snapshot) -> list[dict[str, Any]]:
    out = []
    for scan in compiled.scans:
        low, high = scan.within.earliest, scan.within.latest
        out.append(
            {
                "table": scan.schema.table,
                "columns": sorted(scan.columns),
                "files": len(snapshot.files(scan.schema.table, scan.within)),
                "earliest": iso_utc(low) if low is not None else None,
                "latest": iso_utc(high) if high is not None else None,
            }
        )
    return out


def _show(item: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{item['name']}[/]")
    out.print("\nSearch, macros expanded", style="bold")
    out.print(item["pipeline"], markup=False)
    out.print("\nReads", style="bold")
    for read in item["reads"]:
        span = f"{read['earliest'] or 'the beginning'} to {read['latest'] or 'the end'}"
        out.print(f"  {read['table']}: {read['files']} files, {span}", markup=False)
        out.print(f"    {', '.join(read['columns'])}", markup=False)
    if not item["reads"]:
        out.print("  no table")
    for reason in item["deferred"]:
        out.print(f"  decided while running: {reason}", markup=False)
    out.print(f"\nSQL ({item['engine']})", style="bold")
    dialect = item["engine"]
    pretty_sql = sqlglot.transpile(item["sql"], read=dialect, write=dialect, pretty=True)[0]
    out.print(pretty_sql, markup=False)
    out.print("\nPlan", style="bold")
    out.print(item["plan"], markup=False)
    cost = f"compiled in {item['compile_ms']} ms"
    if "run_ms" in item:
        cost += f", {item['rows']:,} rows in {item['run_ms']} ms"
    out.print(cost)
