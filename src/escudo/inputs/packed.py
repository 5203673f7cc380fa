"""A compressed log -> the part of it that was not read before it was compressed; ``following`` asks
when a rotated file turns up as ``.gz``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from escudo.inputs.position import CHECKED_BYTES, Position, Positions, digest_bytes
from escudo.inputs.records import detect_growing
from escudo.sources.format_detection import Format
from escudo.sources.opening import LogStream, UnpackLimits, open_logs
from escudo.sources.streams import JoinedStream

_STEP = 1 << 20
"""Bytes that are unpacked at once."""


def find_unread(path: Path, positions: Positions, limits: UnpackLimits | None) -> LogStream | None:
    """What of a compressed text was not read when it was a file of its own; None where the file is
    nothing of that kind, and is to be read as any other.

    The stream has no bytes where all was read.
    """
    streams = [s for s in open_logs([path], limits=limits) if isinstance(s, LogStream)]
    if len(streams) != 1 or streams[0].path is not None or "!" in streams[0].name:
        return None
    (stream,) = streams
    try:
        with stream.open() as opened:
            offset = _measure_known(opened, positions)
    except Exception:  # what a library says of damage is told by who reads the file whole
        return None
    return None if not offset else replace(stream, opener=_skip(stream, offset))


def _measure_known(opened: BinaryIO, positions: Positions) -> int:
    """The furthest position of any file whose content a stream begins with; 0 where there is
    none."""
    head = _read(opened, CHECKED_BYTES)
    if detect_growing(head) is None:
        return 0
    same = sorted((p for p in positions if _begins(p, head)), key=lambda p: p.offset)
    known, at, window = 0, len(head), head
    for position in same:
        while at < position.offset:
            part = _read(opened, min(_STEP, position.offset - at))
            if not part:
                return known
            at += len(part)
            window = (window + part)[-CHECKED_BYTES:]
        size = min(CHECKED_BYTES, position.offset)
        end = len(window) - (at - position.offset)
        if digest_bytes(window[max(0, end - size) : end]) == position.tail:
            known = position.offset
    return known


def _begins(position: Position, head: bytes) -> bool:
    size = min(CHECKED_BYTES, position.offset)
    return len(head) >= size and digest_bytes(head[:size]) == position.head


def _read(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer at the end."""
    data = b""
    while len(data) < size and (part := stream.read(size - len(data))):
        data += part
    return data


def _skip(stream: LogStream, offset: int) -> Callable[[], BinaryIO]:
    """Opens a stream behind some bytes; the header of a CSV stays."""

    def opened() -> BinaryIO:
        rest = stream.open()
        left, header = offset, b""
        while left and (part := rest.read(min(_STEP, left))):
            if left == offset and stream.format is Format.CSV_EVENTS:
                header = part.split(b"\n", 1)[0] + b"\n"
            left -= len(part)
        return JoinedStream(header, rest).buffered()

    return opened
