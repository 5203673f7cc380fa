"""A buffer and positions in it -> columns of text, without a Python object for a value."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Positions: TypeAlias = npt.NDArray[np.int64]
Words: TypeAlias = npt.NDArray[np.uint64]

PADDING = 4096
"""How many bytes must follow the last position that is looked at."""

_PIECE = 1 << 18
"""Bytes that are compared at once: what is made of them fits into the cache (2026-11-24)."""
_NEAR = 96
"""Bytes that ``find_next`` looks at."""


def view_words(buffer: bytes | bytearray) -> Words:
    """The eight bytes at every position of a padded buffer, as little-endian numbers.

    >>> hex(int(view_words(b"ABCDEFGH" + bytes(16))[0]))
    '0x4847464544434241'
    """
    return np.ndarray((len(buffer) - 7,), "<u8", buffer, 0, (1,))


def pack_word(text: bytes) -> np.uint64:
    """Up to eight bytes as the number that ``view_words`` has for them."""
    return np.uint64(int.from_bytes(text[:8], "little"))


def cut_texts(data: pa.Buffer, starts: Positions, lengths: Positions) -> pa.Array:
    """The values at ``starts`` of a buffer, as a string array; an empty value is null.

    The values come in the order in which they stand in the buffer, and do not overlap. It must
    hold valid UTF-8 and be under 2 GiB.

    >>> cut_texts(pa.py_buffer(b"abc defghij"), np.array([0, 4, 9]),
    ...             np.array([3, 4, 0])).to_pylist()
    ['abc', 'defg', None]
    """
    size = len(starts)
    if size == 0:
        return pa.array([], pa.string())
    # Arrow's own loop takes every other piece of the buffer: the values, not what is between.
    edges = np.empty(2 * size, dtype=np.int32)
    edges[0::2] = starts
    np.add(starts, lengths, out=edges[1::2], casting="unsafe")
    pieces = pa.Array.from_buffers(pa.string(), 2 * size - 1, [None, pa.py_buffer(edges), data])
    every_other = pa.array(np.arange(0, 2 * size, 2, dtype=np.int32))
    values = pc.take(pieces, every_other, boundscheck=False)
    present = lengths > 0
    missing = size - int(np.count_nonzero(present))
    if not missing:
        return values
    valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(
        pa.string(), size, [valid, *values.buffers()[1:]], null_count=missing
    )


def find_bytes(buffer: bytes, byte: int, size: int) -> Positions:
    """Where a byte stands in the first ``size`` bytes.

    >>> find_bytes(b"a<b<", 0x3C, 4).tolist()
    [1, 3]
    """
    places = []
    every = np.frombuffer(buffer, np.uint8, size)
    # A piece at a time, so that what is between the two loops stays in the processor's cache.
    for start in range(0, size, _PIECE):
        some = np.flatnonzero(every[start : start + _PIECE] == byte)
        some += start
        places.append(some)
    return np.concatenate(places) if places else np.empty(0, dtype=np.int64)


def find_next(words: Words, at: Positions, byte: int) -> Positions:
    """The position of the next ``byte`` at or after each; unchanged where none is near."""
    wanted = np.uint64(byte * 0x0101010101010101)
    ones, highs = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
    out = at.copy()
    open_rows = np.arange(len(at))
    last = len(words) - 1
    for _ in range(0, _NEAR, 8):
        here = words[np.minimum(out[open_rows], last)] ^ wanted
        equal = (here - ones) & ~here & highs
        hit = equal != 0
        # The lowest set bit is bit 7 of the first equal byte.
        lowest = equal & (~equal + np.uint64(1))
        step = (np.log2(np.where(hit, lowest, np.uint64(1)).astype(np.float64)) // 8).astype(
            np.int64
        )
        out[open_rows] += np.where(hit, step, 8)
        open_rows = open_rows[~hit]
        if len(open_rows) == 0:
            return out
    out[open_rows] = at[open_rows]
    return out
