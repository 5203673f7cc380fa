"""A catalog and knowledge for tests: tables of rows written as Parquet, macros from text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from escudo.core.catalog import Lookup, Macro
from escudo.core.field_rules import NO_RULES, FieldRules
from escudo.core.schema import (
    COMMON_COLUMNS,
    RAW_COLUMNS,
    RAW_REST,
    Column,
    FieldType,
    TableSchema,
)
from escudo.core.timerange import TimeRange


def stored(*names: str, lower: Sequence[str] = (), **kinds: FieldType) -> tuple[Column, ...]:
    text = [Column(n, physical=n, lower=f"{n}__lower" if n in lower else None) for n in names]
    return (*text, *(Column(n, kind, physical=n) for n, kind in kinds.items()))


@dataclass
class World:
    """A catalog over Parquet files in a folder."""

    folder: Path
    models: dict[tuple[str, str], TableSchema] = field(default_factory=dict)
    raw: list[TableSchema] = field(default_factory=list)
    paths: dict[str, list[str]] = field(default_factory=dict)

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        for (m, d), schema in self.models.items():
            if m.lower() == model.lower() and (dataset is None or d.lower() == dataset.lower()):
                return schema
        return None

    def datasets(self) -> Sequence[tuple[str, str]]:
        return list(self.models)

    def raw_tables(self) -> Sequence[TableSchema]:
        return self.raw

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return tuple(self.paths.get(table, ()))

    def write(self, schema: TableSchema, rows: Sequence[Mapping[str, Any]]) -> TableSchema:
        """Rows of SPL fields as a file of the table; times are epoch seconds."""
        records = []
        for i, row in enumerate(rows):
            record: dict[str, Any] = {"_event_id": i, "source_file": "test"}
            rest = {}
            for name, value in row.items():
                column = schema.by_name.get(name)
                if column is None or column.physical is None:
                    rest[name] = "\x1e".join(value) if isinstance(value, list) else str(value)
                    continue
                if column.type is FieldType.TIME and value is not None:
                    value = round(value * 1_000_000)
                record[column.physical] = value
                if column.lower and value is not None:
                    record[column.lower] = value.lower()
            if schema.rest:
                record[schema.rest] = list(rest.items())
            records.append(record)
        target = schema.arrow()
        path = self.folder / f"{schema.table}-{len(self.paths.get(schema.table, []))}.parquet"
        pq.write_table(pa.Table.from_pylist(records, schema=target), path)
        self.paths.setdefault(schema.table, []).append(str(path))
        return schema

    def model(
        self,
        model: str,
        dataset: str,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        **schema: Any,
    ) -> None:
        table = TableSchema(dataset.lower(), (*COMMON_COLUMNS, *columns), **schema)
        self.models[model, dataset] = self.write(table, rows)

    def family(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        computed: Mapping[str, str] = MappingProxyType({}),
        **schema: Any,
    ) -> None:
        calculated = tuple(Column(n, expr=e) for n, e in computed.items())
        table = TableSchema(name, (*RAW_COLUMNS, *columns, *calculated), rest=RAW_REST, **schema)
        self.raw.append(self.write(table, rows))


@dataclass
class Words:
    """Knowledge made of macros, lookups and saved searches."""

    defined: dict[str, Macro] = field(default_factory=dict)
    tables: dict[str, Lookup] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    rules: FieldRules = NO_RULES

    def macro(self, name: str, arity: int) -> Macro | None:
        found = self.defined.get(name)
        return found if found and len(found.arguments) == arity else None

    def macros(self) -> Sequence[tuple[str, int]]:
        return [(m.name, len(m.arguments)) for m in self.defined.values()]

    def lookup(self, name: str) -> Lookup | None:
        return self.tables.get(name)

    def lookups(self) -> Sequence[str]:
        return list(self.tables)

    def saved_search(self, name: str) -> str | None:
        return self.saved.get(name)

    def field_rules(self) -> FieldRules:
        return self.rules

    def origins(self, field: str) -> frozenset[str]:
        return frozenset()

    def fingerprint(self) -> bytes:
        return b""

    def model(self, name: str) -> bytes | None:
        return None

    def job(self, name: str) -> pa.Table | None:
        return None

    def define(self, name: str, definition: str, *arguments: str) -> None:
        self.defined[name] = Macro(name, definition, arguments)
