"""Blocks of bytes -> lines, and lines -> events of several lines; ``reader`` calls it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.bytesviews import Positions, cut_texts, find_bytes
from escudo.sources.formats.text import repair_utf8

_LINE_END, _RETURN = 0x0A, 0x0D


def split_lines(block: bytes) -> tuple[pa.Array, Positions]:
    """The lines of a block that are not empty, without their ends; and their numbers from 0.

    >>> lines, numbers = split_lines(b"a\\r\\n\\nb")
    >>> lines.to_pylist(), numbers.tolist()
    (['a', 'b'], [0, 2])
    """
    whole = repair_utf8(block)
    data = np.frombuffer(whole, np.uint8)
    ends = find_bytes(whole, _LINE_END, len(whole))
    starts = np.append(0, ends + 1)
    ends = np.append(ends, len(whole))
    returned = (
        (ends > starts) & (data[np.maximum(ends - 1, 0)] == _RETURN) if len(data) else ends > 0
    )
    ends = ends - returned
    numbers = np.flatnonzero(ends > starts)
    if not len(numbers):
        return pa.array([], pa.string()), numbers
    starts, ends = starts[numbers], ends[numbers]
    return cut_texts(pa.py_buffer(whole), starts, ends - starts), numbers


def count_lines(block: bytes) -> int:
    """How many line ends a block has."""
    return block.count(b"\n")


def join_lines(lines: pa.Array, starts: str) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Lines before the first event; whole events; the lines of the last one, which may go on.

    An event begins with a line that matches ``starts``.

    >>> parts = join_lines(pa.array(["x", "1 a", " b", "2 c"]), r"^\\d")
    >>> [part.to_pylist() for part in parts]
    [['x'], ['1 a\\n b'], ['2 c']]
    """
    begins = np.flatnonzero(pc.match_substring_regex(lines, starts).to_numpy(zero_copy_only=False))
    if not len(begins):
        return lines, lines.slice(0, 0), lines.slice(0, 0)
    first, last = int(begins[0]), int(begins[-1])
    offsets = pa.array((begins - first).astype(np.int32))
    lists = pa.ListArray.from_arrays(offsets, lines.slice(first, last - first))
    return lines.slice(0, first), pc.binary_join(lists, "\n"), lines.slice(last)
