"""A catalog over rows given as maps: each table is one Parquet file in a folder.

Any test may use it: ``RowsCatalog(tmp_path).events([{"a": "1"}])``, then run a search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from escudo.core.catalog import Lookup, Macro
from escudo.core.field_rules import NO_RULES, FieldRules
from escudo.core.schema import (
    COMMON_COLUMNS,
    MV_SEPARATOR,
    RAW_COLUMNS,
    RAW_REST,
    Column,
    FieldType,
    TableSchema,
    physical_names,
)
from escudo.core.timerange import TimeRange
from escudo.spl.relation.values import number_text

NOW = 1_700_000_000.0
"""The clock of the conformance cases: 2023-11-14T22:13:20Z."""

Row = Mapping[str, Any]


def text(value: Any) -> str:
    """A YAML scalar as the text an event would hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else str(value)


def arrival_times(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows with ``_time`` where they have none: newest first, a second apart."""
    return [{"_time": NOW - 1 - i, **row} for i, row in enumerate(rows)]


def columns_of(rows: Iterable[Row], known: Sequence[Column]) -> tuple[Column, ...]:
    """A column for each field of the rows that is not known: lists are multivalues, else text."""
    names = {c.name for c in known}
    found: dict[str, FieldType] = {}
    for row in rows:
        for name, value in row.items():
            if name not in names and (isinstance(value, list) or name not in found):
                is_list = isinstance(value, list)
                found[name] = FieldType.MULTIVALUE if is_list else FieldType.STRING
    physical = physical_names([*(c.name for c in known), *found])
    return tuple(Column(n, kind, physical=physical[n]) for n, kind in found.items())


@dataclass
class RowsCatalog:
    """Tables by name; ``in_rest`` puts the events' own fields into the rest map instead."""

    folder: Path
    models: dict[tuple[str, str], TableSchema] = field(default_factory=dict)
    raw: list[TableSchema] = field(default_factory=list)
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        for (m, d), schema in self.models.items():
            if m.lower() == model.lower() and (dataset is None or d.lower() == dataset.lower()):
                return schema
        return None

    def datasets(self) -> Sequence[tuple[str, str]]:
        return tuple(self.models)

    def raw_tables(self) -> Sequence[TableSchema]:
        return self.raw

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return self.paths.get(table, ())

    def events(
        self, rows: Sequence[Row], *, table: str = "events", in_rest: bool = False
    ) -> TableSchema:
        """A table of raw events; ``index`` is ``main`` where a row does not say."""
        complete = [
            {"index": "main", "host": "h", "source": "s", "sourcetype": "st", "_raw": "", **row}
            for row in arrival_times(rows)
        ]
        own = () if in_rest else columns_of(complete, RAW_COLUMNS)
        schema = TableSchema(table, (*RAW_COLUMNS, *own), rest=RAW_REST)
        self.raw.append(schema)
        self._write(schema, complete)
        return schema

    def model(self, name: str, rows: Sequence[Row], fields: Sequence[str] = ()) -> TableSchema:
        """A dataset ``Model.Dataset``, with columns for the rows' fields and those named."""
        model, dataset = name.split(".")
        complete = arrival_times(rows)
        declared = tuple(Column(f, physical=f) for f in fields)
        known = (*COMMON_COLUMNS, *declared)
        schema = TableSchema(name.lower(), (*known, *columns_of(complete, known)))
        self.models[(model, dataset)] = schema
        self._write(schema, complete)
        return schema

    def child(self, name: str, parent: str, constraint: str) -> TableSchema:
        """A dataset that is the part of its parent's rows that a search expression selects."""
        model, dataset = name.split(".")
        schema = replace(self.models[(model, parent)], constraint=constraint)
        self.models[(model, dataset)] = schema
        return schema

    def _write(self, schema: TableSchema, rows: Sequence[Row]) -> None:
        table = pa.Table.from_pylist(
            [
                stored(schema, {"_event_id": i, "source_file": "case", **row})
                for i, row in enumerate(rows)
            ],
            schema=schema.arrow(),
        )
        path = self.folder / f"{schema.table}.parquet"
        pq.write_table(table, path)
        self.paths[schema.table] = (str(path),)


def stored(schema: TableSchema, row: Row) -> dict[str, Any]:
    """A row of SPL fields as it lies in the file."""
    out: dict[str, Any] = {}
    rest: list[tuple[str, str]] = []
    for name, value in row.items():
        column = schema.by_name.get(name)
        if value is None:
            continue
        if column is None:
            joined = MV_SEPARATOR.join(map(text, value)) if isinstance(value, list) else text(value)
            rest.append((name, joined))
            continue
        assert column.physical is not None
        out[column.physical] = at_rest(value, column.type)
        if column.lower is not None:
            out[column.lower] = text(value).lower()
    if schema.rest is not None:
        out[schema.rest] = rest
    return out


def at_rest(value: Any, kind: FieldType) -> Any:
    match kind:
        case FieldType.TIME:
            return round(float(value) * 1_000_000)
        case FieldType.MULTIVALUE:
            return [text(v) for v in (value if isinstance(value, list) else [value])]
        case FieldType.STRING:
            return text(value)
        case _:
            return value


@dataclass(frozen=True)
class PlainKnowledge:
    """Macros, lookups and saved searches from maps."""

    macros_by_name: Mapping[tuple[str, int], Macro] = field(default_factory=dict)
    lookups_by_name: Mapping[str, Lookup] = field(default_factory=dict)
    searches: Mapping[str, str] = field(default_factory=dict)

    def macro(self, name: str, arity: int) -> Macro | None:
        return self.macros_by_name.get((name, arity))

    def macros(self) -> Sequence[tuple[str, int]]:
        return tuple(self.macros_by_name)

    def lookup(self, name: str) -> Lookup | None:
        return self.lookups_by_name.get(name)

    def lookups(self) -> Sequence[str]:
        return tuple(self.lookups_by_name)

    def saved_search(self, name: str) -> str | None:
        return self.searches.get(name)

    def field_rules(self) -> FieldRules:
        return NO_RULES

    def origins(self, field: str) -> frozenset[str]:
        return frozenset()

    def fingerprint(self) -> bytes:
        return b""

    def model(self, name: str) -> bytes | None:
        return None

    def job(self, name: str) -> pa.Table | None:
        return None
