"""Tables -> rows as they are shown, times in ISO-8601; called by who shows rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Any

import pyarrow as pa

from escudo.core.timerange import iso_zoned

_TIME_FIELDS = frozenset({"_time", "_indextime"})
_ROWS_AT_ONCE = 1_000


def show_value(field: str, value: Any, zone: tzinfo = UTC) -> Any:
    """A value as it is shown: epoch times as ISO-8601 of a time zone, whole floats as integers, a
    list of one as its element (as in Splunk's JSON results).

    >>> show_value("_time", 0.5), show_value("count", 3.0), show_value("user", ["alice"])
    ('1970-01-01T00:00:00.500Z', 3, 'alice')
    >>> show_value("_indextime", "1.25"), show_value("_time", "Monday")
    ('1970-01-01T00:00:01.250Z', 'Monday')
    """
    if value is None:
        return None
    if field in _TIME_FIELDS and isinstance(value, int | float | str):
        try:
            return iso_zoned(float(value), zone)
        except (ValueError, OverflowError):
            return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return (
            show_value(field, value[0], zone)
            if len(value) == 1
            else [show_value(field, v, zone) for v in value]
        )
    return value


def iterate_rows(table: pa.Table, zone: tzinfo = UTC) -> Iterator[dict[str, Any]]:
    """The rows of a table as dicts, a few at a time, nulls left out."""
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        held = [name for name in batch.schema.names if batch[name].null_count < len(batch)]
        for row in batch.select(held).to_pylist():
            yield {k: show_value(k, v, zone) for k, v in row.items() if v is not None}
