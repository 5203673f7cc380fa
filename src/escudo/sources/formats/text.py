"""Blocks of text from a byte stream, cut where an event ends; UTF-16 and byte order marks gone."""

from __future__ import annotations

import codecs
import io
import time
from collections.abc import Iterator
from typing import BinaryIO

from escudo.sources.detection import encoding_of
from escudo.sources.opening import DAMAGE

BLOCK_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_PATIENCE_SECONDS = 1.0
_PARTIAL = (io.BufferedIOBase, io.BufferedReader)
LONGEST_EVENT = 64 * 1024 * 1024
"""A longer run of bytes without an event's end is cut there: memory stays bounded."""


class DamagedError(Exception):
    """The compressed stream breaks off; what came before it has been yielded."""


def blocks(stream: BinaryIO, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The stream as UTF-8 blocks of about ``size`` bytes; a slow one gives less, every second.

    Raises DamagedError where it cannot go on, after the bytes that came before.
    """
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    for block in _joined(stream, size):
        if first:
            encoding = encoding_of(block)
            if encoding != "utf-8":
                decoder = codecs.getincrementaldecoder(encoding)("replace")
        if decoder is not None:
            text = decoder.decode(block)
            yield (text.removeprefix("\ufeff") if first else text).encode("utf-8", "replace")
        else:
            yield block.removeprefix(codecs.BOM_UTF8) if first else block
        first = False
    if decoder is not None and (tail := decoder.decode(b"", final=True)):
        yield tail.encode("utf-8", "replace")


def _joined(stream: BinaryIO, size: int) -> Iterator[bytes]:
    pieces: list[bytes] = []
    length = 0
    began = time.monotonic()
    read = stream.read1 if isinstance(stream, _PARTIAL) else stream.read
    while True:
        try:
            piece = read(_PIECE_BYTES)
        except DAMAGE as error:
            if pieces:
                yield b"".join(pieces)
            raise DamagedError(str(error)) from None
        pieces.append(piece)
        length += len(piece)
        if length >= size or not piece or time.monotonic() - began > _PATIENCE_SECONDS:
            if length:
                yield b"".join(pieces)
            pieces, length, began = [], 0, time.monotonic()
        if not piece:
            return


def cut_after(source: Iterator[bytes], end: bytes) -> Iterator[bytes]:
    """The same bytes in blocks that end right after ``end``, but for the last one.

    >>> list(cut_after(iter([b"a;b", b"c;d"]), b";"))
    [b'a;', b'bc;', b'd']
    """
    kept: list[bytes] = []
    pending = 0
    try:
        for block in source:
            joined = (kept[-1][-len(end) + 1 :] if kept and len(end) > 1 else b"") + block
            overlap = len(joined) - len(block)
            at = joined.rfind(end)
            if at < 0 and pending + len(block) < LONGEST_EVENT:
                kept.append(block)
                pending += len(block)
                continue
            stop = len(block) if at < 0 else at + len(end) - overlap
            yield b"".join([*kept, block[:stop]])
            kept = [block[stop:]] if stop < len(block) else []
            pending = len(block) - stop
    except DamagedError:
        if kept:
            yield b"".join(kept)
        raise
    if kept:
        yield b"".join(kept)


def valid_utf8(block: bytes) -> bytes:
    r"""The block, with U+FFFD for what is no UTF-8.

    >>> valid_utf8(bytes([97, 255])) == "a\N{REPLACEMENT CHARACTER}".encode()
    True
    """
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("utf-8", "replace").encode()
    return block
