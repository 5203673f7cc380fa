"""A byte stream -> blocks of UTF-8, cut where an event ends; the readers of text call it."""

from __future__ import annotations

import codecs
import io
import time
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from escudo.sources.format_detection import detect_encoding
from escudo.sources.opening import judge_damage

_PIECE_BYTES = 1024 * 1024
"""Bytes that are asked of a stream at once."""
PATIENCE_SECONDS = 1.0
"""Seconds that a block may take to fill; then what there is of a slow stream is handed on."""
_PARTIAL = (io.BufferedIOBase, io.BufferedReader)
LONGEST_EVENT = 64 * 1024 * 1024
"""Bytes. A longer run without an event's end is cut there: memory stays bounded."""


class DamagedError(Exception):
    """The stream breaks off, with a code; what came before it has been yielded."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def read_pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The stream as UTF-8, in whatever pieces it comes, without its byte order mark.

    Raises DamagedError where it cannot go on.
    """
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    read = stream.read1 if isinstance(stream, _PARTIAL) else stream.read
    while True:
        try:
            piece = read(_PIECE_BYTES)
        except Exception as error:
            damage = judge_damage(error)
            raise DamagedError(damage.code or "SRC006", damage.message) from None
        if not piece:
            break
        if first:
            encoding = detect_encoding(piece)
            if encoding != "utf-8":
                decoder = codecs.getincrementaldecoder(encoding)("replace")
            piece = piece.removeprefix(codecs.BOM_UTF8)
        if decoder is not None:
            text = decoder.decode(piece)
            piece = (text.removeprefix("\ufeff") if first else text).encode("utf-8", "replace")
        yield piece
        first = False
    if decoder is not None and (tail := decoder.decode(b"", final=True)):
        yield tail.encode("utf-8", "replace")


def cut_after(
    source: Iterator[bytes], end: bytes, *, size: int, padding: int = 0
) -> Iterator[bytes]:
    """The same bytes in blocks of at least ``size`` that end right after ``end``, but for the last.

    A block has ``padding`` zero bytes behind it. A slow source gives smaller blocks, every second.

    >>> list(cut_after(iter([b"a;b", b"c;d"]), b";", size=1))
    [b'a;', b'bc;', b'd']
    """
    kept: list[bytes] = []
    length = 0
    began = time.monotonic()
    zeros = bytes(padding)
    try:
        for piece in source:
            kept.append(piece)
            length += len(piece)
            if length < size and time.monotonic() - began < PATIENCE_SECONDS:
                continue
            stop = _last_end(kept, end)
            if stop == 0 and length < LONGEST_EVENT:
                continue
            stop = stop or len(piece)
            rest = piece[stop:]
            yield b"".join([*kept[:-1], memoryview(piece)[:stop], zeros])
            kept, length = ([rest] if rest else []), len(rest)
            began = time.monotonic()
    except DamagedError:
        if kept:
            yield b"".join([*kept, zeros])
        raise
    if kept:
        yield b"".join([*kept, zeros])


def _last_end(kept: list[bytes], end: bytes) -> int:
    """Where the last ``end`` stops in the last piece; it may begin in the one before."""
    piece = kept[-1]
    at = piece.rfind(end)
    if at >= 0:
        return at + len(end)
    before = b"".join(kept[:-1])[-len(end) + 1 :] if len(kept) > 1 and len(end) > 1 else b""
    at = (before + piece[: len(end) - 1]).rfind(end)
    return at + len(end) - len(before) if at >= 0 else 0


def repair_utf8(block: bytes) -> bytes:
    r"""The block, with U+FFFD for what is no UTF-8.

    >>> repair_utf8(bytes([97, 255])) == "a\N{REPLACEMENT CHARACTER}".encode()
    True
    """
    if block.isascii():
        return block
    offsets = pa.array([0, len(block)], pa.int32()).buffers()[1]
    whole = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(block)])
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        return block.decode("utf-8", "replace").encode()
    return block
