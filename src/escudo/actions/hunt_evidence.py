"""Rows that a hunt found -> what a report shows as evidence: fields, events, processes around,
drilldowns; called by ``hunt_report``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlglot import exp

from escudo.actions.context import Context, RunDrilldown
from escudo.actions.hunt_summary import FoundRow
from escudo.actions.shown_rows import iterate_rows
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic
from escudo.core.timerange import ALL_TIME
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.findings.drilldown import FilledDrilldown
from escudo.findings.tree import Tree
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
class ShownDrilldown:
    """A drilldown as it was run: the first of its rows, how many there are; ``problem`` says why
    there are none."""

    drilldown: FilledDrilldown
    fields: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    total: int = 0
    problem: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class ShownContext:
    """What is around a row: its process trees, its drilldowns. ``problem`` says why there is
    nothing."""

    trees: tuple[Tree, ...] = ()
    drilldowns: tuple[ShownDrilldown, ...] = ()
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
        time = alias(prelude_call("spl_epoch", column("_time")), "time")
        kept = [column(name) for name in _EVENT_COLUMNS if name != "_time"]
        query = select([time, *kept], table(scan.name)).where(asked.copy())
        for row in engine.run(query, [scan], {"wanted": wanted}).to_pylist():
            out[row["_event_id"]] = Event(
                event_id=row["_event_id"],
                time=row["time"],
                **{name: row[name] or "" for name in ("host", "source", "sourcetype")},
                source_file=row["source_file"] or "",
                raw=row["_raw"] or "",
            )
    return out


def show_context(context: Context, *, most_rows: int) -> ShownContext:
    """What is around a row, with the first rows of each drilldown."""
    shown = (_show_drilldown(run, most_rows) for run in context.drilldowns)
    return ShownContext(context.trees, tuple(shown))


def _show_drilldown(run: RunDrilldown, most_rows: int) -> ShownDrilldown:
    if isinstance(run.outcome, Diagnostic):
        return ShownDrilldown(run.drilldown, problem=run.outcome)
    found = run.outcome.table
    rows = tuple(iterate_rows(found.slice(0, most_rows)))
    return ShownDrilldown(
        run.drilldown, _order_fields(found.column_names, rows), rows, found.num_rows
    )


def _order_fields(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The fields of which a row has a value, in the search's order."""
    held = {name for row in rows for name in row}
    return tuple(name for name in names if name in held)
