"""A scan -> the columns that it reads; each engine makes its own read of them."""

from __future__ import annotations

from escudo.core.schema import FieldType
from escudo.spl.plan import Scan


def wanted_columns(scan: Scan) -> dict[str, FieldType | None]:
    """Physical columns of a scan, lower-cased copies included -> type; None for the rest map."""
    out: dict[str, FieldType | None] = {}
    for found in scan.columns.values():
        if found.physical is not None:
            out[found.physical] = found.type
        if found.lower is not None:
            out[found.lower] = FieldType.STRING
    if scan.schema.rest is not None:
        out[scan.schema.rest] = None
    return out
