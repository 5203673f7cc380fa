"""Scans and their columns: what a scan reads, of which each engine makes its own read; scans of a
few columns."""

from __future__ import annotations

from collections.abc import Collection

from escudo.core.schema import FieldType, TableSchema
from escudo.core.timerange import TimeRange
from escudo.spl import Scan


def pick_columns(schema: TableSchema, names: Collection[str], within: TimeRange) -> Scan:
    """A read of some stored columns of a table, without its rest map."""
    columns = {c.name: c for c in schema.columns if c.name in names}
    own = TableSchema(schema.table, tuple(columns.values()))
    return Scan(f"picked_{schema.table}", own, within, columns)


def list_columns(scan: Scan) -> dict[str, FieldType | None]:
    """Physical columns of a scan, lower-cased copies included -> type; None for the rest map."""
    out: dict[str, FieldType | None] = {}
    for column in scan.columns.values():
        if column.physical is not None:
            out[column.physical] = column.type
        if column.lower is not None:
            out[column.lower] = FieldType.STRING
    if scan.schema.rest is not None:
        out[scan.schema.rest] = None
    return out
