"""A lake, content -> what a search can name: fields, sources, data models, macros, lookups; called
by the shell."""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.core.catalog import Knowledge
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.lake import Snapshot
from escudo.storage import open_file

SOURCES = (
    "| tstats count earliest(_time) AS first latest(_time) AS last WHERE index=* "
    'BY index source sourcetype | eval first=strftime(first, "%Y-%m-%dT%H:%M:%S%:z"), '
    'last=strftime(last, "%Y-%m-%dT%H:%M:%S%:z") | sort - count'
)
"""The search that lists where events came from."""

_FILES = 16
"""Files of a table that are looked into for fields that no schema has; the newest."""

Row = Mapping[str, Any]


def list_fields(snapshot: Snapshot, pattern: str | None = None) -> Iterator[Row]:
    """The fields that events in the lake have, by name: ``field`` and ``tables``.

    Fields that no source declares are looked for in the newest files of each table.
    """
    tables: dict[str, set[str]] = defaultdict(set)
    for schema in snapshot.raw_tables():
        if not any(f.rows for f in snapshot.data_files(schema.table)):
            continue
        name = schema.table.removeprefix("raw_")
        for column in schema.columns:
            tables[column.name].add(name)
        for found in _find_rest_fields(snapshot, schema):
            tables[found].add(name)
    for found in sorted(tables, key=str.lower):
        if matches(found, pattern):
            yield {"field": found, "tables": sorted(tables[found])}


def _find_rest_fields(snapshot: Snapshot, schema: TableSchema) -> set[str]:
    if schema.rest is None:
        return set()
    found: set[str] = set()
    for path in snapshot.files(schema.table, ALL_TIME)[-_FILES:]:
        file = pq.ParquetFile(open_file(path))
        if file.num_row_groups and schema.rest in file.schema_arrow.names:
            rest = file.read_row_group(0, columns=[schema.rest]).column(0)
            for chunk in rest.chunks:
                keys: pa.Array = pc.unique(chunk.keys)
                found.update(key for key in keys.to_pylist() if key is not None)
    return found


def list_models(snapshot: Snapshot, pattern: str | None = None) -> Iterator[Row]:
    """The datasets of data models: ``dataset``, ``rows`` of its table, and the number of its
    ``fields``. Datasets of one table have the same rows to look through."""
    for model, dataset in snapshot.datasets():
        name = f"{model}.{dataset}"
        schema = snapshot.dataset(model, dataset)
        if schema is None or not matches(name, pattern):
            continue
        rows = sum(f.rows for f in snapshot.data_files(schema.table))
        fields = [column for column in schema.columns if not column.internal]
        yield {"dataset": name, "rows": rows, "fields": len(fields)}


def list_dataset_fields(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Every (dataset, field) of the data models, as searches name them: ``Processes.dest``."""
    for model, dataset in snapshot.datasets():
        schema = snapshot.dataset(model, dataset)
        for column in schema.columns if schema is not None else ():
            if not column.internal:
                yield dataset, column.name


def list_macros(knowledge: Knowledge, pattern: str | None = None) -> Iterator[Row]:
    """The macros by name: ``macro`` with its arguments, and ``definition``."""
    for name, arity in sorted(knowledge.macros()):
        macro = knowledge.macro(name, arity)
        if macro is not None and matches(name, pattern):
            arguments = f"({', '.join(macro.arguments)})" if macro.arguments else ""
            yield {"macro": f"{name}{arguments}", "definition": macro.definition}


def list_lookups(knowledge: Knowledge, pattern: str | None = None) -> Iterator[Row]:
    """The lookups by name: ``lookup``, ``fields`` where they are said, and where its rows are."""
    for name in sorted(knowledge.lookups()):
        lookup = knowledge.lookup(name)
        if lookup is not None and matches(name, pattern):
            place = lookup.path or (f"collection {lookup.collection}" if lookup.collection else "")
            yield {"lookup": name, "fields": list(lookup.fields), "rows in": place}


def matches(name: str, pattern: str | None) -> bool:
    """Whether a name has a pattern in it, or is like one with ``*``, in any case.

    >>> matches("process_name", "name"), matches("process_name", "name*")
    (True, False)
    """
    if not pattern:
        return True
    if "*" in pattern:
        return fnmatch.fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))
    return pattern.lower() in name.lower()


def list_names(rows: Iterator[Row], column: str) -> Sequence[str]:
    """One column of the lists above."""
    return [str(row[column]) for row in rows]
