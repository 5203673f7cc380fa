"""A file that grows -> pieces of whole events, each with the position after it; ``growing`` has
one for each file."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from escudo.inputs.position import CHECKED_BYTES, Key, Position, digest_ends
from escudo.inputs.records import count_whole, detect_growing
from escudo.sources.format_detection import HEAD_BYTES, Format
from escudo.sources.formats.text import LONGEST_EVENT
from escudo.sources.opening import LogStream

PIECE_BYTES = 8 << 20
"""Bytes that are read of a file at once: as many events as make a batch of the reader."""

PIECES_AT_ONCE = 2
"""Pieces that are read of a file before the next one has its turn."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole events of a file, from ``start`` on; ``position`` is where they end."""

    stream: LogStream
    start: int
    size: int
    position: Position | None


class Tail:
    """A file that is read as it grows. It stays open, so that it can be read to its end when it
    has been renamed or deleted.

    ``offset`` is where the next piece begins. A format of None: not known yet, or read whole.
    ``has_more``: the last ``pieces`` ended with its turn, and not with the file. ``is_own``: it is
    known to be no copy of a file that is read itself.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        status = os.fstat(stream.fileno())
        self.path = path
        self.key: Key = (status.st_dev, status.st_ino)
        self.offset = 0
        self.is_own = False
        self.format: Format | None = None
        self.grew = time.monotonic()
        self.has_more = False
        self._stream = stream
        self._known: Position | None = None
        self._size = -1
        self._head = b""
        self._header = b""

    def close(self) -> None:
        self._stream.close()

    @property
    def known(self) -> Position | None:
        """How far it has been read, None at the start."""
        return self._known

    @property
    def modified(self) -> float:
        """When the file was written to last (epoch seconds)."""
        return os.fstat(self._stream.fileno()).st_mtime

    @property
    def size(self) -> int:
        """Bytes that the file has now."""
        return os.fstat(self._stream.fileno()).st_size

    @property
    def behind(self) -> int:
        """Bytes of the file that have not been read."""
        return max(0, self.size - self.offset)

    def look(self) -> bool:
        """Takes note of how large the file is now; False if it was cut, or is another one now."""
        size = os.fstat(self._stream.fileno()).st_size
        if size != self._size:
            self._size, self.grew = size, time.monotonic()
        if size >= self.offset and (self._known is None or self._known.agrees(self._stream)):
            return True
        self._head = b""
        return False

    def restart(self) -> None:
        """Begins again at the start of the file, which has another content now."""
        self.offset, self._known, self.format, self.is_own = 0, None, None, False
        self._head = self._header = b""

    def adopt(self, known: Position) -> Position:
        """Begins behind what is known to have been read, of this file or of one like it; what is
        known now of this one."""
        self.offset = known.offset
        self._known = replace(known, device=self.key[0], inode=self.key[1])
        return self._known

    def begins_with(self, other: Tail) -> bool:
        """Whether the file begins with all that another one holds, as far as its first and last
        bytes tell."""
        common = min(len(self._head), len(other._head), CHECKED_BYTES)
        if self._head[:common] != other._head[:common]:
            return False
        with self.open_copy() as own, other.open_copy() as copy:
            size = copy.seek(0, os.SEEK_END)
            ends = digest_ends(own, size)
            return size > 0 and ends is not None and ends == digest_ends(copy, size)

    def open_copy(self) -> BinaryIO:
        """The file from its start, for who looks at its content."""
        return os.fdopen(os.dup(self._stream.fileno()), "rb", buffering=0)

    def find_format(self, *, quiet: bool) -> Format | None:
        """The format by the first bytes; None while they do not tell. ``quiet``: no more come."""
        if self.format is None and (len(self._head) < HEAD_BYTES):
            self._stream.seek(0)
            self._head = self._stream.read(HEAD_BYTES)
            if b"\n" in self._head or b">" in self._head or quiet:
                self.format = detect_growing(self._head)
            if self.format is Format.CSV_EVENTS:
                self._header = self._head.split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf") + b"\n"
        return self.format

    @property
    def settles(self) -> bool:
        """Whether a last event without its end may be whole: time tells, not its text."""
        return self.format in (Format.CLASSIC_TEXT, Format.CSV_EVENTS)

    def pieces(self, *, quiet: bool, ended: bool) -> Iterator[Piece]:
        """The whole events that are behind the offset; what is begun waits.

        Args:
            quiet: nothing has come for a while: a last event is taken that may be whole.
            ended: nothing more will come, so that what is begun is taken as it is.
        """
        assert self.format is not None
        self.has_more = False
        if self.offset < len(self._head) and detect_growing(self._head[: self.offset]) is None:
            self.offset = 0  # it was read whole when it had not even so much that its format tells
        for _ in range(PIECES_AT_ONCE):
            data, whole = self._read_whole(self.format)
            at_end = len(data) < PIECE_BYTES
            if at_end and (ended or (quiet and self.settles)):
                whole = len(data)
            if not whole:
                return
            start, self.offset = self.offset, self.offset + whole
            if data[:whole].strip():
                yield Piece(self._log(start, data[:whole]), start, whole, self._position())
            if at_end:
                return
        self.has_more = True

    def _read_whole(self, format_: Format) -> tuple[bytes, int]:
        """What comes next, and how much of it is whole events: more than usual where one event is
        longer, all of it where it is longer than any may be."""
        most = PIECE_BYTES
        while True:
            self._stream.seek(self.offset)
            data = self._stream.read(most)
            whole = count_whole(format_, data)
            if whole or len(data) < most:
                return data, whole
            if most >= LONGEST_EVENT:
                return data, len(data)
            most *= 2

    def _log(self, start: int, data: bytes) -> LogStream:
        assert self.format is not None
        text = self._header + data if start else data
        return LogStream(
            name=str(self.path),
            format=self.format,
            opener=open_bytes(text),
            container=str(self.path),
            size=len(text),
            modified=self.modified,
        )

    def _position(self) -> Position:
        ends = digest_ends(self._stream, self.offset)
        head, tail = ends if ends is not None else ("", "")
        self._known = Position(str(self.path.absolute()), *self.key, self.offset, head, tail)
        return self._known


def open_bytes(text: bytes) -> Callable[[], BinaryIO]:
    """What opens bytes as a stream."""
    return lambda: io.BytesIO(text)
