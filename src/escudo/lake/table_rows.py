"""Columns of SPL fields -> rows of a table of the lake; ``effects`` and ``findings`` call it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.schema import MV_SEPARATOR, REST_TYPE, Column, FieldType, TableSchema

_MICROSECONDS = 1_000_000
_LIST = pa.list_(pa.string())


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
    if values.type == _LIST:
        return values
    if pa.types.is_list(values.type):
        return values.cast(_LIST)
    texts = format_values(values).to_pylist()
    return pa.array([None if t is None else [t] for t in texts], _LIST)


def _rest_text(values: pa.Array, name: str) -> pa.Array:
    """A rest map knows several values only in fields with ``{}``; others become one text, a value
    a line, as ``nomv`` makes them."""
    if pa.types.is_list(values.type):
        separator = MV_SEPARATOR if "{}" in name else "\n"
        return pc.binary_join(_lists(values), separator)
    return format_values(values)


def _map(fields: Mapping[str, pa.Array], count: int) -> pa.Array:
    """A map for each row of the fields that are not null there."""
    if not fields:
        return pa.array([[]] * count, REST_TYPE)
    there = np.column_stack([v.is_valid().to_numpy(zero_copy_only=False) for v in fields.values()])
    row, number = np.nonzero(there)
    ends = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
    items = pa.concat_arrays(list(fields.values())).take(pa.array(number * count + row))
    keys = pa.array(list(fields), pa.string()).take(pa.array(number))
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, items).cast(REST_TYPE)


def format_values(column: pa.Array) -> pa.Array:
    """Values as SPL prints them: a whole number has no fraction.

    >>> format_values(pa.array([5.0, 0.25, None])).to_pylist()
    ['5', '0.25', None]
    """
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_floating(column.type):
        text = pc.cast(column, pa.string())
        return pc.replace_substring_regex(text, r"\.0$", "")
    return pc.cast(column, pa.string())
