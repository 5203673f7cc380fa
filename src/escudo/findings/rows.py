"""What risk events and findings share: the fields of a matching row, laid into a raw table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.schema import MV_SEPARATOR, REST_TYPE, Column, FieldType, TableSchema
from escudo.core.timerange import TimeRange
from escudo.findings.tokens import as_text

RESERVED = ("host", "index", "source", "sourcetype", "_time", "_raw", "_indextime", "eventtype")
"""Fields of every event: those of the row are kept with the prefix ``orig_``, as ES does."""

_MICROSECONDS = 1_000_000
_MILLISECOND = 0.001


def event_time(window: TimeRange, now: float) -> float:
    """When risk events and findings of a run are dated: just before now or the window ends.

    So they lie in the window of the run and before now, which is what drilldowns look at, also
    where the run made up for a missed one.

    >>> event_time(TimeRange(0, 3600), 4200), event_time(TimeRange(), 4200)
    (3599.999, 4199.999)
    """
    end = now if window.latest is None else min(now, window.latest)
    time = end - _MILLISECOND
    return time if window.earliest is None else max(time, window.earliest)


def window_bounds(window: TimeRange) -> tuple[float, float]:
    """``info_min_time`` and ``info_max_time``: 0 and infinity where the window is open."""
    return (
        window.earliest if window.earliest is not None else 0.0,
        window.latest if window.latest is not None else float("inf"),
    )


def event_hashes(identity: str, rows: pa.Table) -> pa.Array:
    """A hash for each row: the same detection and the same values give the same hash.

    >>> rows = pa.table({"dest": ["a", "b"], "n": [1, 1]})
    >>> len(set(event_hashes("x", rows).to_pylist()) & set(event_hashes("y", rows).to_pylist()))
    0
    """
    names = sorted(rows.column_names)
    digests = []
    for row in rows.select(names).to_pylist():
        text = json.dumps([identity, row], sort_keys=True, default=str, ensure_ascii=False)
        digests.append(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest())
    return pa.array(digests, pa.string())


def row_fields(rows: pa.Table, taken: Sequence[str]) -> dict[str, pa.ChunkedArray]:
    """The fields of the rows under the names that they have in an event of its own.

    Reserved names and names that the event sets itself (``taken``) get ``orig_``.
    """
    out = {}
    for name in rows.column_names:
        kept = f"orig_{name.lstrip('_')}" if name in RESERVED or name in taken else name
        if kept not in taken:
            out[kept] = rows[name]
    return out


def lay_out(fields: Mapping[str, pa.ChunkedArray | pa.Array], schema: TableSchema) -> pa.Table:
    """Fields (SPL name -> values) as rows of a table; fields without a column go to its rest map.

    Raises:
        ValueError: where there is a field without a column and the table has no rest map.
    """
    columns: dict[str, pa.Array] = {}
    rest: dict[str, pa.Array] = {}
    for name, values in fields.items():
        column = schema.by_name.get(name)
        array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        if column is not None and column.physical is not None:
            columns[column.physical] = _typed(array, column)
            if column.lower is not None:
                columns[column.lower] = pc.utf8_lower(columns[column.physical])
        elif column is None:
            rest[name] = _rest_text(array, name)
    if rest and schema.rest is None:
        raise ValueError(f"table {schema.table} has no place for {', '.join(rest)}")
    if schema.rest is not None:
        count = len(next(iter(fields.values())))
        columns[schema.rest] = _map(rest, count)
    arrow = schema.arrow()
    present = [f for f in arrow if f.name in columns]
    return pa.table([columns[f.name] for f in present], schema=pa.schema(present))


def _typed(values: pa.Array, column: Column) -> pa.Array:
    if column.type is FieldType.TIME:
        micros = pc.round(pc.multiply(values.cast(pa.float64()), _MICROSECONDS))
        return micros.cast(pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    if column.type is FieldType.MULTIVALUE:
        return _lists(values)
    if column.type is FieldType.STRING:
        return _rest_text(values, column.name)
    target = pa.int64() if column.type is FieldType.INTEGER else pa.float64()
    return values.cast(target)


def _lists(values: pa.Array) -> pa.Array:
    if pa.types.is_list(values.type):
        return values.cast(pa.list_(pa.string()))
    texts = as_text(values).to_pylist()
    return pa.array([None if t is None else [t] for t in texts], pa.list_(pa.string()))


def _rest_text(values: pa.Array, name: str) -> pa.Array:
    """A rest map knows several values only in fields with ``{}``; others become one text, a value
    a line, as ``nomv`` makes them."""
    if pa.types.is_list(values.type):
        separator = MV_SEPARATOR if "{}" in name else "\n"
        return pc.binary_join(values.cast(pa.list_(pa.string())), separator)
    return as_text(values)


def _map(fields: Mapping[str, pa.Array], count: int) -> pa.Array:
    """A map for each row of the fields that are not null there."""
    lists = {name: values.to_pylist() for name, values in fields.items()}
    entries = [
        [(name, values[i]) for name, values in lists.items() if values[i] is not None]
        for i in range(count)
    ]
    return pa.array(entries, REST_TYPE)


def constant(value: object, count: int, kind: pa.DataType | None = None) -> pa.Array:
    """One value for every row."""
    return pa.array([value] * count, kind)
