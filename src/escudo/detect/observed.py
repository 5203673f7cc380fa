"""A catalog -> the same one, whose tables say what the fields of their rows hold; hunts bind many
searches over it.

A search over all events (``index=*``, an event type) is one of every table of events. Where it asks
for ``EventCode=4698``, the tables that hold no such event need not be read, nor planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Catalog, OtherRawTables
from escudo.core.schema import FieldType, TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.spl import column, select, table

NARROW = ("index", "source", "sourcetype", "Channel", "EventID", "event_simpleName")
"""Fields of events of which few distinct values are expected."""

MOST_TUPLES = 20_000
"""Distinct values of these fields together that are worth looking at."""

MOST_VALUES = 200
"""Distinct values of a field that are worth knowing: each is compared with what a search asks."""


def observe(catalog: Catalog, engine: Engine) -> OtherRawTables:
    """Asks every table of events once for the values of its narrow fields, at any time."""
    tables = [
        replace(schema, values={**schema.values, **_find_values(schema, engine)})
        if catalog.files(schema.table, ALL_TIME)
        else schema
        for schema in catalog.raw_tables()
    ]
    return OtherRawTables(catalog, tuple(tables))


def _find_values(schema: TableSchema, engine: Engine) -> Mapping[str, frozenset[str]]:
    """The values of a table's narrow fields, and of fields that are one of these by another
    name."""
    stored = {
        c.name: c.physical
        for c in schema.columns
        if c.name in NARROW and c.physical is not None and c.type is FieldType.STRING
    }
    if not stored:
        return {}
    scan = pick_columns(schema, tuple(stored), ALL_TIME)
    query = select([column(n) for n in stored.values()], table(scan.name))
    query.set("distinct", exp.Distinct())
    tuples = engine.run(query.limit(MOST_TUPLES + 1), [scan], {})
    if tuples.num_rows > MOST_TUPLES:
        return {}
    found = {name: _list_values(tuples[physical]) for name, physical in stored.items()}
    values = {name: held for name, held in found.items() if len(held) <= MOST_VALUES}
    aliases = {c.name: c.expr for c in schema.columns if c.expr in values}
    return {**values, **{name: values[meant] for name, meant in aliases.items() if meant}}


def _list_values(cells: pa.ChunkedArray) -> frozenset[str]:
    return frozenset(cells.unique().drop_null().to_pylist())
