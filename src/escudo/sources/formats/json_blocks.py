"""Pieces of a text -> blocks of JSON lines, each looked at in the cache; for ``json_events``.

A pass over text that has left the processor's cache costs about as much as reading it from the
system's. So all that needs only the bytes is done a piece at a time, right after it was read:
whether it is UTF-8, where its lines end, how many keys they have.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.bytesviews import find_bytes
from escudo.sources.formats.json_columns import Bytes, JsonLines
from escudo.sources.formats.text import LONGEST_EVENT, PATIENCE_SECONDS, DamagedError, repair_utf8

_BLOCK_BYTES = 12 << 20
"""Bytes of lines that are parsed together. Fewer than of XML, since a block, its lines and their
columns are in memory at once: 5 GB of FDR stay under 950 MB (2026-11-24, 2 cores)."""
_ROOM = 2 << 20
"""Bytes that may come behind the last line of a block before it is handed on."""

_BRACE, _BRACE_END, _LINE_END = b"{}\n"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that each begin and end with a brace; ``keys`` is what ``JsonLines.count`` says."""

    text: pa.Array
    keys: int | None


def cut_blocks(source: Iterator[bytes], reader: JsonLines) -> Iterator[Lines | bytes]:
    """The lines of a text in pieces; as text where not all of them look like objects.

    A block ends with a line. One that a slow source gives is handed on after a second. Where the
    source breaks off (DamagedError), what came before it is given first.

    >>> source = [b'{"a":1}\\n{"b"', b":2}\\n"]
    >>> [block.text.to_pylist() for block in cut_blocks(iter(source), JsonLines())]
    [['{"a":1}', '{"b":2}']]
    >>> list(cut_blocks(iter([*source, b" {}"]), JsonLines()))
    [b'{"a":1}\\n{"b":2}\\n {}\\n']
    """
    block = _Block(reader, b"")
    try:
        for piece in source:
            block.add(piece)
            if block.is_due():
                yield block.take()
                block = _Block(reader, block.rest())
    except DamagedError:
        if block.end():
            yield block.take()
        raise
    if block.end():
        yield block.take()


class _Block:
    """Lines one behind the other, without what parts them."""

    def __init__(self, reader: JsonLines, begun: bytes) -> None:
        self._reader = reader
        self._data = np.empty(_BLOCK_BYTES + _ROOM, np.uint8)
        self._size = 0
        self._complete = 0
        self._offsets: list[npt.NDArray[np.int64]] = []
        self._keys: int | None = 0
        self._ascii = True
        self._since = time.monotonic()
        self.add(begun)

    def add(self, piece: bytes) -> None:
        """Puts a piece behind what there is."""
        ends = find_bytes(piece, _LINE_END, len(piece))
        text = piece.replace(b"\n", b"")
        start, self._size = self._size, self._size + len(text)
        if self._size > len(self._data):
            self._data = np.concatenate((self._data[:start], np.empty(self._size, np.uint8)))
        self._data[start : self._size] = np.frombuffer(text, np.uint8)
        self._ascii &= piece.isascii()
        if len(ends):
            self._complete_to(ends - np.arange(len(ends)) + start)

    def _complete_to(self, ends: npt.NDArray[np.int64]) -> None:
        stop = int(ends[-1])
        if self._keys is not None:
            keys = self._reader.count(self._data[self._complete : stop])
            self._keys = None if keys is None else self._keys + keys
        self._offsets.append(ends)
        self._complete = stop

    def is_due(self) -> bool:
        """Whether the lines are to be handed on."""
        if self._size - self._complete >= LONGEST_EVENT:
            return self.end()
        late = time.monotonic() - self._since >= PATIENCE_SECONDS
        return self._complete >= _BLOCK_BYTES or (late and bool(self._offsets))

    def end(self) -> bool:
        """Ends the last line where the text ends; whether there is any line."""
        if self._size > self._complete:
            self._complete_to(np.array([self._size]))
        return bool(self._offsets)

    def rest(self) -> bytes:
        """The beginning of the line that has not ended."""
        return self._data[self._complete : self._size].tobytes()

    def take(self) -> Lines | bytes:
        """The lines that have ended."""
        offsets = np.concatenate([np.zeros(1, np.int64), *self._offsets])
        data = self._data[: self._complete]
        if 2 * self._complete < len(self._data):
            data = data.copy()  # Small files are many: a few lines must not hold a whole block.
        buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
        lines = pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
        if _are_objects(data, offsets) and (self._ascii or _is_utf8(lines)):
            return Lines(lines, self._keys)
        every = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
        joined = pc.binary_join(every.cast(pa.list_(pa.binary())), b"\n")
        return repair_utf8(joined[0].as_py() + b"\n")


def _are_objects(data: Bytes, offsets: npt.NDArray[np.int64]) -> bool:
    """Whether every line begins and ends with a brace, without a blank around them."""
    starts, ends = offsets[:-1], offsets[1:]
    if not (ends > starts).all():
        return False
    return bool((data[starts] == _BRACE).all() and (data[ends - 1] == _BRACE_END).all())


def _is_utf8(lines: pa.Array) -> bool:
    try:
        lines.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
