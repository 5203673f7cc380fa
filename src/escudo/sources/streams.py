"""Byte streams -> streams that count, join, part or keep them; ``opening`` and ``archives`` read
through these."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, cast

STREAM_BUFFER = 1 << 20
"""Bytes that are read ahead of a stream that is only read forwards."""
_SPOOL_BYTES = 32 * 1024 * 1024
"""Bytes of a copy that stay in memory; a longer one goes to a temporary file."""


class PieceStream(io.RawIOBase):
    """A stream that is read forwards; ``next_piece`` says what comes next."""

    @abstractmethod
    def next_piece(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.next_piece(len(target))
        target[: len(data)] = data
        return len(data)

    def buffered(self, size: int = io.DEFAULT_BUFFER_SIZE) -> BinaryIO:
        """The stream as ``open`` gives one, which reads so many bytes ahead; closing it closes
        this."""
        return cast(BinaryIO, io.BufferedReader(self, size))


class JoinedStream(PieceStream):
    """Bytes already read, then the stream they came from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def next_piece(self, size: int) -> bytes:
        data = self._head[:size] or read_piece(self._rest, size)
        self._head = self._head[size:]
        return data


class CountedStream(PieceStream):
    """A stream whose bytes are told to ``take_bytes``; what that raises ends it."""

    def __init__(self, stream: BinaryIO, take_bytes: Callable[[int], None]) -> None:
        self._stream = stream
        self._take_bytes = take_bytes

    def next_piece(self, size: int) -> bytes:
        data = read_piece(self._stream, size)
        self._take_bytes(len(data))
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


class FilePart(PieceStream):
    """A part of a file that others read, too: it has its own position, and leaves the file open.

    >>> part = FilePart(io.BytesIO(b"abcdef"), 1, 4)
    >>> part.read(2), part.seek(-1, io.SEEK_END), part.read()
    (b'bc', 3, b'e')
    """

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def next_piece(self, size: int) -> bytes:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(size, self._size - self._at)))
        self._at += len(data)
        return data


class _OwnPart(FilePart):
    """A part of a file that is closed with it."""

    def close(self) -> None:
        self._file.close()
        super().close()


def open_part(path: Path, begin: int, end: int) -> BinaryIO:
    """The bytes of a file from one place to another."""
    return _OwnPart(path.open("rb", buffering=0), begin, end - begin).buffered(STREAM_BUFFER)


def read_piece(stream: BinaryIO, size: int) -> bytes:
    """At most so many bytes, without waiting for all of them where the stream can do that."""
    read = stream.read1 if isinstance(stream, io.BufferedIOBase) else stream.read
    return read(size) or b""


def spool_stream(stream: BinaryIO) -> Callable[[], BinaryIO]:
    """What opens a copy of a stream, again and again, to be sought in; gone with its last user."""
    copy = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115
    shutil.copyfileobj(stream, copy, STREAM_BUFFER)
    size = copy.tell()
    return lambda: FilePart(copy, 0, size).buffered()
