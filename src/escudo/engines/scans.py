"""A scan -> the columns that it reads; each engine makes its own read of them."""

from __future__ import annotations

from escudo.core.schema import FieldType
from escudo.spl import Scan


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
