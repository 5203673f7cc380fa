"""Columns of text cut out of one buffer by position, without a Python object for a value."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Positions: TypeAlias = npt.NDArray[np.int64]
Words: TypeAlias = npt.NDArray[np.uint64]

PADDING = 4096
"""How many bytes must follow the last position that is looked at."""

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(8)] + [2**64 - 1] * 9, dtype=np.uint64)
"""The low n bytes of a word."""
_HIGH_MASKS = np.array([0] * 5 + [(1 << (8 * n)) - 1 for n in range(1, 8)] + [2**64 - 1], np.uint64)
"""Bytes 4 to n of an inlined value, which has at most 12."""
_INLINE = 12
_NEAR = 96
"""How far ``up_to`` looks."""


def words_of(buffer: bytes | bytearray) -> Words:
    """The eight bytes at every position of a padded buffer, as little-endian numbers.

    >>> hex(int(words_of(b"ABCDEFGH" + bytes(16))[0]))
    '0x4847464544434241'
    """
    return np.ndarray((len(buffer) - 7,), "<u8", buffer, 0, (1,))


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as the number that ``words_of`` has for them."""
    return np.uint64(int.from_bytes(text[:8], "little"))


def text_column(data: pa.Buffer, words: Words, starts: Positions, lengths: Positions) -> pa.Array:
    """The values at ``starts`` of a buffer, as a string array; an empty value is null.

    ``words`` is ``words_of`` the same buffer, which must hold valid UTF-8 and be under 2 GiB.

    >>> text = b"abc defghijklmnopq" + bytes(16)
    >>> text_column(pa.py_buffer(text), words_of(text), np.array([0, 4, 9]),
    ...             np.array([3, 14, 0])).to_pylist()
    ['abc', 'defghijklmnopq', None]
    """
    size = len(starts)
    views = np.empty((size, 2), dtype="<u8")
    length = lengths.astype(np.uint64)
    short = np.minimum(lengths, _INLINE + 1)
    views[:, 0] = length | ((words[starts] & _MASKS[np.minimum(short, 4)]) << _32)
    inline = words[starts + 4] & _HIGH_MASKS[np.minimum(short, _INLINE)]
    views[:, 1] = np.where(lengths <= _INLINE, inline, starts.astype(np.uint64) << _32)
    present = lengths > 0
    missing = size - int(np.count_nonzero(present))
    valid = None if missing == 0 else pa.array(present).buffers()[1]
    column = pa.Array.from_buffers(
        pa.string_view(), size, [valid, pa.py_buffer(views), data], null_count=missing
    )
    return column.cast(pa.string())


def up_to(words: Words, at: Positions, byte: int) -> Positions:
    """The position of the next ``byte`` at or after each; unchanged where none is near."""
    wanted = np.uint64(byte * 0x0101010101010101)
    ones, highs = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
    out = at.copy()
    open_rows = np.arange(len(at))
    last = len(words) - 1
    for _ in range(0, _NEAR, 8):
        here = words[np.minimum(out[open_rows], last)] ^ wanted
        found = (here - ones) & ~here & highs
        hit = found != 0
        # The lowest set bit is bit 7 of the first equal byte.
        lowest = found & (~found + np.uint64(1))
        step = (np.log2(np.where(hit, lowest, np.uint64(1)).astype(np.float64)) // 8).astype(
            np.int64
        )
        out[open_rows] += np.where(hit, step, 8)
        open_rows = open_rows[~hit]
        if len(open_rows) == 0:
            return out
    out[open_rows] = at[open_rows]
    return out
