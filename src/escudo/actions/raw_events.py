"""Conditions on the raw tables of a lake -> events as their logs have them; called by what shows
events beside findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Catalog
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.lake.tables import NOTABLE, RISK, STASH
from escudo.spl import alias, column, prelude_call, select, table

OWN_TABLES = frozenset({RISK, NOTABLE, STASH})
"""What searches and findings write: no logs."""

_COLUMNS = ("_time", "_event_id", "_raw", "host", "source", "sourcetype", "source_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a log: its text, and where it is from. ``time`` is in epoch seconds."""

    event_id: int
    time: float
    host: str
    source: str
    sourcetype: str
    source_file: str
    raw: str


def list_logs(catalog: Catalog, within: TimeRange) -> Iterator[TableSchema]:
    """The raw tables that can have events of logs in a time range."""
    for schema in catalog.raw_tables():
        if schema.table not in OWN_TABLES and catalog.files(schema.table, within):
            yield schema


def fetch_events(ids: Iterable[int], catalog: Catalog, engine: Engine) -> dict[int, Event]:
    """The events of some ids, as far as they are in the raw tables: one query a table."""
    wanted = pa.table({"id": pa.array(sorted(set(ids)), pa.int64())})
    if not wanted.num_rows:
        return {}
    chosen = exp.Subquery(this=select([column("id")], table("wanted")))
    asked = exp.In(this=column("_event_id"), query=chosen)
    return {
        event.event_id: event
        for schema in catalog.raw_tables()
        if catalog.files(schema.table, ALL_TIME)
        for event in read_events(
            schema,
            ALL_TIME,
            engine,
            narrow=lambda query: query.where(asked.copy()),
            tables={"wanted": wanted},
        )
    }


def read_events(
    schema: TableSchema,
    within: TimeRange,
    engine: Engine,
    *,
    narrow: Callable[[exp.Select], exp.Select],
    tables: Mapping[str, pa.Table],
) -> Iterator[Event]:
    """The events of a raw table, in no order.

    Args:
        within: which files are read.
        narrow: the query with its conditions; it may use ``tables``.
    """
    scan = pick_columns(schema, _COLUMNS, within)
    time = alias(prelude_call("spl_epoch", column("_time")), "time")
    kept = [column(name) for name in _COLUMNS if name != "_time"]
    query = narrow(select([time, *kept], table(scan.name)))
    for row in engine.run(query, [scan], tables).to_pylist():
        yield Event(
            event_id=row["_event_id"],
            time=row["time"],
            raw=row["_raw"] or "",
            **{name: row[name] or "" for name in ("host", "source", "sourcetype", "source_file")},
        )
