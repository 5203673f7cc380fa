"""Field types, columns and table schemas: how SPL's fields lie in columnar files.

SPL field names are case-sensitive, SQL identifiers are not; a column therefore has an SPL name
(``ProcessID``) and a physical name that is unique without regard to case (``ProcessID__1``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import pyarrow as pa

MV_SEPARATOR = "\x1e"
"""Joins the values of a multivalue field inside a ``rest`` map, whose values are plain text."""


class FieldType(StrEnum):
    """The static type of an SPL field.

    STRING is SPL's ordinary value: text that may look like a number. NUMBER is a double,
    INTEGER a 64-bit integer, BOOLEAN exists only inside expressions. TIME is epoch seconds (a
    double) inside SPL and ``timestamp[us, UTC]`` at rest. MULTIVALUE is a list of text.
    """

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    MULTIVALUE = "multivalue"


ARROW_TYPES: Mapping[FieldType, pa.DataType] = {
    FieldType.STRING: pa.string(),
    FieldType.NUMBER: pa.float64(),
    FieldType.INTEGER: pa.int64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TIME: pa.timestamp("us", tz="UTC"),
    FieldType.MULTIVALUE: pa.list_(pa.string()),
}
"""The type of a column at rest, for each field type."""

REST_TYPE = pa.map_(pa.string(), pa.string())


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a table.

    A stored column has ``physical`` (its name in the files) and perhaps ``lower`` (the physical
    name of a lower-cased copy, for comparisons without regard to case). A search-time field has
    ``expr`` instead: an SPL eval expression over the other columns of the same table.
    ``internal`` fields (``_event_id``, ``source_file``) are left out of wildcards and results.
    """

    name: str
    type: FieldType = FieldType.STRING
    physical: str | None = None
    lower: str | None = None
    expr: str | None = None
    internal: bool = False

    def __post_init__(self) -> None:
        if (self.physical is None) == (self.expr is None):
            raise ValueError(f"column {self.name!r}: exactly one of physical and expr")

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """How it is pickled: thousands of columns come out of a cache at each start, and what
        dataclasses do by themselves takes three times as long (2026-11-30)."""
        return Column, (
            self.name, self.type, self.physical, self.lower, self.expr, self.internal
        )  # fmt: skip


@dataclass(frozen=True)
class TableSchema:
    """A table of the lake, as SPL sees it.

    ``rest`` is the physical name of a ``map<string, string>`` that holds the fields without a
    column of their own; its multivalue fields (names with ``{}``, as Splunk names JSON arrays)
    are joined by ``MV_SEPARATOR``. ``constraint`` is an SPL search expression that selects this
    dataset's rows when several datasets share one table (child datasets of a CIM model).
    ``values`` bounds what a field can hold in this table: field -> the only values present.
    """

    table: str
    columns: tuple[Column, ...]
    rest: str | None = None
    constraint: str | None = None
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {c.name: c for c in self.columns}

    def arrow(self) -> pa.Schema:
        """The schema of the files: stored columns, lower-cased copies, the rest map."""
        out: list[pa.Field] = []
        for c in self.columns:
            if c.physical is not None:
                out.append(pa.field(c.physical, ARROW_TYPES[c.type]))
            if c.lower is not None:
                out.append(pa.field(c.lower, pa.string()))
        if self.rest is not None:
            out.append(pa.field(self.rest, REST_TYPE))
        return pa.schema(out)


def physical_names(names: Iterable[str]) -> dict[str, str]:
    """A physical name for each SPL name, unique without regard to case; the first keeps its own.

    >>> physical_names(["ProcessId", "ProcessID", "user"])
    {'ProcessId': 'ProcessId', 'ProcessID': 'ProcessID__1', 'user': 'user'}
    """
    taken: set[str] = set()
    out: dict[str, str] = {}
    for name in names:
        if name in out:
            continue
        candidate, n = name, 0
        while candidate.lower() in taken:
            n += 1
            candidate = f"{name}__{n}"
        taken.add(candidate.lower())
        out[name] = candidate
    return out


def _stored(name: str, kind: FieldType = FieldType.STRING, *, internal: bool = False) -> Column:
    return Column(name, kind, physical=name, internal=internal)


COMMON_COLUMNS: tuple[Column, ...] = (
    _stored("_time", FieldType.TIME),
    _stored("_event_id", FieldType.INTEGER, internal=True),
    _stored("index"),
    _stored("host"),
    _stored("source"),
    _stored("sourcetype"),
    _stored("source_file", internal=True),
)
"""What every table has. ``_event_id`` is unique in a lake and joins a model row to its raw event;
``source_file`` is the path as given by the user (``archive.zip!member`` inside an archive)."""

RAW_COLUMNS: tuple[Column, ...] = (
    *COMMON_COLUMNS,
    _stored("_indextime", FieldType.TIME),
    _stored("_raw"),
)
"""What every raw table has, before its source's own fields and its ``_fields`` rest map."""

RAW_REST = "_fields"
