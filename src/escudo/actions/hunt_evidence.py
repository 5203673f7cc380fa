"""Rows that a hunt found -> what is behind them: fields, events, processes around, drilldowns;
called by ``hunt_report``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
from sqlglot import exp

from escudo.actions.hunt_summary import FoundRow
from escudo.actions.shown_rows import iterate_rows
from escudo.actions.workspace import Workspace
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic
from escudo.core.timerange import ALL_TIME
from escudo.detect.attempt import attempt
from escudo.engines.execute import Engine, Result
from escudo.engines.scans import pick_columns
from escudo.findings.drilldown import (
    FilledDrilldown,
    fill_drilldowns,
    find_drilldown_clock,
    run_drilldown,
)
from escudo.findings.tree import Tree, grow_trees
from escudo.spl import alias, column, prelude_call, select, table

_EVENT_COLUMNS = ("_time", "_event_id", "_raw", "host", "source", "sourcetype", "source_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a log: its text, and where it is from. ``time`` is in epoch seconds."""

    event_id: int
    time: float | None
    host: str
    source: str
    sourcetype: str
    source_file: str
    raw: str


@dataclass(frozen=True, slots=True)
class OpenedDrilldown:
    """A drilldown as it was run: the first of its rows, how many there are; ``problem`` says why
    there are none."""

    drilldown: FilledDrilldown
    fields: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    total: int = 0
    problem: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What is around a row: its process trees, its drilldowns, what kept a tree from growing."""

    trees: tuple[Tree, ...] = ()
    drilldowns: tuple[OpenedDrilldown, ...] = ()
    problem: Diagnostic | None = None


def read_fields(row: FoundRow) -> dict[str, Any]:
    """The fields of a row as its search gives them, those without a value left out."""
    return next(iterate_rows(row.match.rows.slice(row.index, 1)), {})


def fetch_events(ids: Iterable[int], catalog: Catalog, engine: Engine) -> dict[int, Event]:
    """The events of some ids, as far as they are in the raw tables: one query a table."""
    wanted = pa.table({"id": pa.array(sorted(set(ids)), pa.int64())})
    out: dict[int, Event] = {}
    if not wanted.num_rows:
        return out
    chosen = exp.Subquery(this=select([column("id")], table("wanted")))
    asked = exp.In(this=column("_event_id"), query=chosen)
    for schema in catalog.raw_tables():
        if not catalog.files(schema.table, ALL_TIME):
            continue
        scan = pick_columns(schema, _EVENT_COLUMNS, ALL_TIME)
        items = [alias(prelude_call("spl_epoch", column("_time")), "time")]
        items += [column(name) for name in _EVENT_COLUMNS if name != "_time"]
        query = select(items, table(scan.name)).where(asked.copy())
        for row in engine.run(query, [scan], {"wanted": wanted}).to_pylist():
            out[row["_event_id"]] = Event(
                event_id=row["_event_id"],
                time=row["time"],
                **{name: row[name] or "" for name in ("host", "source", "sourcetype")},
                source_file=row["source_file"] or "",
                raw=row["_raw"] or "",
            )
    return out


def open_context(
    row: FoundRow,
    workspace: Workspace,
    catalog: Catalog,
    engine: Engine,
    *,
    most_rows: int | None = None,
) -> Context:
    """The process trees around a row's events, and its detection's drilldowns, run.

    What fails is told in its place and keeps nothing else from being opened. ``most_rows`` is how
    many rows of a drilldown are kept.
    """
    grow = partial(grow_trees, row.event_ids, engine, catalog, within=workspace.within)
    trees = attempt(grow, name=row.detection) if row.event_ids else []
    now = find_drilldown_clock(row.match, row.index)
    opened = []
    for drilldown in fill_drilldowns(row.match, row.index):
        run = partial(run_drilldown, drilldown, engine, catalog, workspace.knowledge, now=now)
        opened.append(_show_drilldown(drilldown, attempt(run, name=drilldown.name), most_rows))
    if isinstance(trees, Diagnostic):
        return Context((), tuple(opened), trees)
    return Context(tuple(trees), tuple(opened))


def _show_drilldown(
    drilldown: FilledDrilldown, result: Result | Diagnostic, most_rows: int | None
) -> OpenedDrilldown:
    if isinstance(result, Diagnostic):
        return OpenedDrilldown(drilldown, problem=result)
    rows = tuple(iterate_rows(result.table.slice(0, most_rows)))
    return OpenedDrilldown(
        drilldown, _order_fields(result.table.column_names, rows), rows, result.table.num_rows
    )


def _order_fields(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The fields of which a row has a value, in the search's order."""
    held = {name for row in rows for name in row}
    return tuple(name for name in names if name in held)
