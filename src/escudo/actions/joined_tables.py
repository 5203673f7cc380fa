"""Tables of rows whose fields differ -> one table; searches whose rows come bit by bit call it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def join_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables as one, with the fields of all; what is a list in one is a list in all.

    >>> parts = [pa.table({"a": ["x", None]}), pa.table({"a": [["y", "z"]], "b": [1]})]
    >>> join_tables(parts).to_pydict()
    {'a': [['x'], None, ['y', 'z']], 'b': [None, None, 1]}
    """
    lists = {f.name for part in tables for f in part.schema if pa.types.is_list(f.type)}
    made = [_make_lists(part, lists) for part in tables]
    return pa.concat_tables(made, promote_options="permissive") if made else pa.table({})


def _make_lists(part: pa.Table, names: set[str]) -> pa.Table:
    for number, kind in enumerate(part.schema):
        if kind.name in names and not pa.types.is_list(kind.type):
            values = part.column(number).cast(pa.string()).combine_chunks()
            part = part.set_column(number, kind.name, _wrap(values))
    return part


def _wrap(values: pa.Array) -> pa.Array:
    """Each value as a list of one; null stays null."""
    there = pc.is_valid(values)
    ends = pc.cumulative_sum(there.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    known = pa.concat_arrays([there, pa.array([True])])
    starts = pc.if_else(known, offsets, pa.scalar(None, pa.int32()))
    return pa.ListArray.from_arrays(starts, values.drop_null())
