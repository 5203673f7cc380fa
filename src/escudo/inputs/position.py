"""How far a file has been read, and what tells it from others; kept as a mark of the lake's ledger.

A file is known again by its inode as long as its content agrees, and by its content alone where it
was copied or compressed meanwhile: by the first bytes and by those just before the position.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import BinaryIO, TypeAlias

from escudo.lake.ledger import Mark

Key: TypeAlias = tuple[int, int]
"""A file, whatever its path: its device and inode."""

PREFIX = "input:"
"""Names of marks that are positions begin so."""

CHECKED_BYTES = 1024
"""Bytes at the beginning, and before the position, that content is known by."""


@dataclass(frozen=True, slots=True)
class Position:
    """``offset`` bytes of a file are in the lake.

    ``head`` and ``tail`` are digests of the first bytes, and of those before the offset; ``path``
    (absolute) is where the file was seen last, ``seen`` when (epoch seconds). Content that is in no
    known file any more has the inode 0: it may turn up again, compressed.
    """

    path: str
    device: int
    inode: int
    offset: int
    head: str
    tail: str
    seen: float = field(default=0.0, compare=False)

    @property
    def mark_name(self) -> str:
        """The name of its mark: the same file has the same, wherever it is moved."""
        if not self.inode:
            return f"{PREFIX}was.{self.tail}"
        return name_mark(self.device, self.inode)

    def leave(self) -> Position:
        """The same content, at no known file."""
        return replace(self, device=0, inode=0)

    @property
    def is_there(self) -> bool:
        """Whether the file is where it was seen last."""
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (self.device, self.inode)

    def encode(self) -> str:
        """The value of its mark.

        >>> place = Position("a.log", 1, 2, 3, "x", "y")
        >>> decode_position(place.encode()) == place
        True
        """
        return json.dumps(asdict(self), sort_keys=True)

    def agrees(self, stream: BinaryIO) -> bool:
        """Whether a stream that can be sought in begins with what was read."""
        return (self.head, self.tail) == digest_ends(stream, self.offset)


def make_start(path: str) -> Position:
    """That a file has been followed, whether anything came of it or not."""
    return Position(path, 0, 0, 0, "", f"start.{digest_bytes(os.fsencode(path))}")


def name_mark(device: int, inode: int) -> str:
    return f"{PREFIX}{device:x}.{inode:x}"


def decode_position(value: str) -> Position:
    """A position from the value of its mark."""
    return Position(**json.loads(value))


def digest_ends(stream: BinaryIO, offset: int) -> tuple[str, str] | None:
    """Digests of the first bytes of a stream and of those before an offset; None if it is shorter.

    >>> import io
    >>> digest_ends(io.BytesIO(b"abc"), 4)
    """
    size = min(CHECKED_BYTES, offset)
    stream.seek(0)
    head = stream.read(size)
    stream.seek(offset - size)
    tail = stream.read(size)
    if len(head) < size or len(tail) < size:
        return None
    return digest_bytes(head), digest_bytes(tail)


def digest_bytes(data: bytes) -> str:
    """What some bytes are known by."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


class Positions:
    """The positions in a ledger, found by file or by content. ``move`` gives what a commit keeps.

    >>> import io
    >>> known = Positions({})
    >>> head, tail = digest_ends(io.BytesIO(b"one\\ntwo\\n"), 4)
    >>> known.keep(Position("a.log", 1, 7, 4, head, tail))
    >>> known.find_same(io.BytesIO(b"one\\nmore")).offset
    4
    """

    def __init__(self, marks: Mapping[str, str]) -> None:
        self._known = {name: decode_position(value) for name, value in marks.items()}
        self._values = dict(marks)

    def __iter__(self) -> Iterator[Position]:
        return iter(list(self._known.values()))

    def get(self, device: int, inode: int) -> Position | None:
        """The position of a file, whatever its content is now."""
        return self._known.get(name_mark(device, inode))

    def has(self, position: Position) -> bool:
        """Whether there is one for the same file, or, at no file, of the same content."""
        return position.mark_name in self._known

    def find_same(self, stream: BinaryIO) -> Position | None:
        """The furthest position of any file whose content this stream begins with."""
        heads: dict[int, str | None] = {}
        furthest: Position | None = None
        for position in self._known.values():
            if furthest is not None and position.offset <= furthest.offset:
                continue
            size = min(CHECKED_BYTES, position.offset)
            if size not in heads:
                stream.seek(0)
                first = stream.read(size)
                heads[size] = digest_bytes(first) if len(first) == size else None
            if heads[size] == position.head and position.agrees(stream):
                furthest = position
        return furthest

    def forget(self, before: float) -> list[Mark]:
        """Forgets files that are not there, and were seen last before a time; their marks."""
        old = [p for p in self if p.seen < before and not p.is_there]
        for position in old:
            del self._known[position.mark_name]
        return [Mark(p.mark_name, self._values.pop(p.mark_name), None) for p in old]

    def keep(self, position: Position) -> None:
        """Takes note of a position that is to be committed."""
        self._known[position.mark_name] = position

    def move(self, position: Position) -> Mark:
        """The mark of a position: read on from what the ledger has, as far as is known here."""
        position = replace(position, seen=time.time())
        name, value = position.mark_name, position.encode()
        mark = Mark(name, self._values.get(name), value)
        self._values[name] = value
        self.keep(position)
        return mark
