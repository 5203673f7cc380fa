"""Columns of events -> columns of the transactions they make: groups of rows merged at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.spl.batch.pivot import text
from escudo.spl.batch.transaction_rules import Ints


def join_texts(values: pa.Array, offsets: Ints) -> pa.Array:
    """The texts of each group, a line each; empty ones are left out."""
    keep = pc.fill_null(pc.not_equal(values, ""), False)
    kept = np.concatenate(([0], np.cumsum(keep.to_numpy(zero_copy_only=False))))
    lists = pa.LargeListArray.from_arrays(pa.array(kept[offsets]), values.filter(keep))
    return pc.binary_join(lists, "\n")


def count_lines(texts: pa.Array) -> Ints:
    """How many lines texts have; an empty one has none."""
    breaks = pc.count_substring(texts, "\n").to_numpy()
    ended = pc.ends_with(texts, "\n").to_numpy(zero_copy_only=False)
    empty = pc.equal(texts, "").to_numpy(zero_copy_only=False)
    return np.asarray(breaks + 1 - ended - empty, dtype=np.int64)


def collect_values(cells: pa.Array, offsets: Ints) -> pa.Array:
    """The distinct values of each group as sorted texts; null where there are none."""
    values, groups = _flat(cells, offsets)
    present = pc.is_valid(values)
    codes, words = _coded(values.filter(present))
    group = groups[present.to_numpy(zero_copy_only=False)]
    pairs = np.unique(group * max(len(words), 1) + codes)
    return _lists(words, pairs, len(offsets) - 1)


def collect_list(cells: pa.Array, offsets: Ints, null: str) -> pa.Array:
    """The values of each group in their order, ``null`` in the place of none; null for a group
    without any."""
    values, groups = _flat(cells, offsets, nulls=True)
    codes, words = _coded(values)
    words = pa.concat_arrays([words, pa.array([null])])
    codes = np.where(codes < 0, len(words) - 1, codes)
    counts = np.bincount(groups, minlength=len(offsets) - 1)
    held = np.bincount(groups[codes < len(words) - 1], minlength=len(offsets) - 1)
    ends = np.concatenate(([0], np.cumsum(counts)))
    return pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()), words.take(pa.array(codes)), mask=pa.array(held == 0)
    )


def collect_distinct(lists: pa.Array, offsets: Ints) -> pa.Array:
    """The distinct items of the lists of each group, in their order."""
    values, groups = _flat(lists, offsets)
    present = pc.is_valid(values)
    values = values.filter(present)
    groups = groups[present.to_numpy(zero_copy_only=False)]
    encoded = values.dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    _, first = np.unique(groups * max(len(encoded.dictionary), 1) + codes, return_index=True)
    first.sort()
    counts = np.bincount(groups[first], minlength=len(offsets) - 1)
    ends = pa.array(np.concatenate(([0], np.cumsum(counts))), pa.int32())
    return pa.ListArray.from_arrays(ends, values.take(pa.array(first))).cast(lists.type)


def _flat(cells: pa.Array, offsets: Ints, *, nulls: bool = False) -> tuple[pa.Array, Ints]:
    """Single values and the group of each; with ``nulls`` a list that is null is one null."""
    groups = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    if not pa.types.is_list(cells.type):
        return cells, groups
    if nulls and cells.null_count:
        one = pa.array([[None]], cells.type)
        cells = pc.if_else(pc.is_valid(cells), cells, one[0])
    parents = pc.list_parent_indices(cells).to_numpy()
    return pc.list_flatten(cells), groups[parents]


def _coded(values: pa.Array) -> tuple[Ints, pa.Array]:
    """A number for each value (-1 for null) and the texts of the numbers, in sorted order."""
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    encoded = values.dictionary_encode()
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    words = encoded.dictionary
    if not pa.types.is_string(words.type):
        words = pa.array([text(w) for w in words.to_pylist()], pa.string())
    unique = words.unique()
    unique = unique.take(pc.sort_indices(unique))
    rank = pc.index_in(words, unique).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(rank):
        return codes, unique
    return np.where(codes < 0, -1, rank[np.maximum(codes, 0)]), unique


def _lists(words: pa.Array, pairs: Ints, groups: int) -> pa.Array:
    """Lists of words from sorted numbers ``group * words + word``."""
    width = max(len(words), 1)
    counts = np.bincount(pairs // width, minlength=groups)
    ends = np.concatenate(([0], np.cumsum(counts)))
    values = words.take(pa.array(pairs % width))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=pa.array(counts == 0))
