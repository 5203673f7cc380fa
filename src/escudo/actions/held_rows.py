"""A lake -> the kinds of rows that it has: of each table, which columns are filled at all, and by
which source types; ``actions.source_coverage`` judges detections by them.

Each table is asked once for all of its columns, and a table of events once more for the keys of its
rest map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import Column, FieldType, TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.detect.fillings import NEVER, Filling, FoundRows, Judge, Rows
from escudo.engines.scans import pick_columns
from escudo.lake import Snapshot
from escudo.lake.tables import Tables
from escudo.sources.family import LABELS
from escudo.spl import Scan, alias, column, compile_eval, literal_text, select, table

_UNKNOWN = "unknown"
"""What a data model puts where a source gives nothing."""


@dataclass(frozen=True)
class HeldRows(FoundRows):
    """The rows that a lake has in a table. ``filled`` are the stored columns with a value in some
    row, ``telling`` those with another one than ``unknown``; ``keys`` are those of the rest map."""

    schema: TableSchema
    wide: Mapping[str, Column]
    labels: Mapping[str, Filling]
    filled: frozenset[str]
    telling: frozenset[str]
    keys: frozenset[str]
    judge: Judge

    def find_column(self, name: str) -> Filling:
        wide = self.wide.get(name)
        if wide is not None and wide.name in self.labels:
            return self.labels[wide.name]
        if name in self.filled:
            return None if name in self.telling else frozenset({_UNKNOWN})
        stored = self.schema.by_name.get(wide.name) if wide is not None else None
        if stored is None or stored.expr is None:
            return NEVER
        try:
            value = compile_eval(stored.expr, self.schema).sql
        except EscudoError:
            return NEVER
        return None if self.judge.may_fill(value, self) else NEVER

    def key(self, name: str) -> Filling:
        return None if name in self.keys else NEVER

    def kind(self, name: str) -> FieldType:
        wide = self.wide.get(name)
        return wide.type if wide is not None else FieldType.STRING


class HeldKinds:
    """What a lake has, table by table, read when it is asked for."""

    def __init__(self, tables: Tables, snapshot: Snapshot, judge: Judge) -> None:
        self._schemas = {schema.table: schema for schema in tables}
        self._titles = {f.schema.table: f.title for f in tables.families.values()}
        self._snapshot = snapshot
        self._judge = judge
        self._rows: dict[str, HeldRows | None] = {}

    @cached_property
    def labels(self) -> Mapping[str, Mapping[str, Filling]]:
        """Table of events -> the sources and source types of those that it has."""
        return {
            table_name: {"index": None, **{n: self._list_texts(schema, n) for n in LABELS}}
            for table_name, schema in self._schemas.items()
            if schema.rest is not None and self._snapshot.files(table_name, ALL_TIME)
        }

    def list_rows(self, name: str, wide: Mapping[str, Column]) -> Iterator[tuple[str, Rows]]:
        """The rows of a table with a title, if it has any."""
        if name not in self._rows:
            self._rows[name] = self._read(name, wide)
        rows = self._rows[name]
        if rows is not None:
            yield self._titles.get(name, name), rows

    def _read(self, name: str, wide: Mapping[str, Column]) -> HeldRows | None:
        schema = self._schemas.get(name)
        if schema is None or not self._snapshot.files(name, ALL_TIME):
            return None
        stored = {c.name: c.physical for c in schema.columns if c.physical is not None}
        scan = pick_columns(schema, tuple(stored), ALL_TIME)
        items: list[exp.Expression] = []
        for physical in stored.values():
            items.append(alias(exp.Count(this=column(physical)), f"f_{physical}"))
            text = exp.Cast(this=column(physical), to=exp.DataType.build("text"))
            other = exp.Nullif(this=text, expression=literal_text(_UNKNOWN))
            items.append(alias(exp.Count(this=other), f"t_{physical}"))
        (counts,) = self._judge.engine.run(select(items, table(scan.name)), [scan], {}).to_pylist()
        lower = {c.lower: c.physical for c in schema.columns if c.lower is not None}
        filled = {p for p in stored.values() if counts[f"f_{p}"]}
        telling = {p for p in stored.values() if counts[f"t_{p}"]}
        return HeldRows(
            schema=schema,
            wide=wide,
            labels=self.labels.get(name, {}),
            filled=frozenset(filled | {n for n, p in lower.items() if p in filled}),
            telling=frozenset(telling | {n for n, p in lower.items() if p in telling}),
            keys=self._list_keys(schema),
            judge=self._judge,
        )

    def _list_texts(self, schema: TableSchema, name: str) -> frozenset[str]:
        scan = pick_columns(schema, (name,), ALL_TIME)
        query = select([column(name)], table(scan.name))
        query.set("distinct", exp.Distinct())
        texts = self._judge.engine.run(query, [scan], {}).column(0).to_pylist()
        return frozenset(text for text in texts if text is not None)

    def _list_keys(self, schema: TableSchema) -> frozenset[str]:
        if schema.rest is None:
            return frozenset()
        scan = Scan("picked_rest", TableSchema(schema.table, (), schema.rest), ALL_TIME, {})
        keys = exp.Anonymous(this="map_keys", expressions=[column(schema.rest)])
        unnested = exp.Anonymous(this="unnest", expressions=[keys])
        query = select([alias(unnested, "name")], table(scan.name))
        query.set("distinct", exp.Distinct())
        return frozenset(self._judge.engine.run(query, [scan], {}).column(0).to_pylist())
