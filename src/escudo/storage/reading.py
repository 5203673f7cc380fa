"""A path or URL of a lake's data file -> a file that can be read anywhere in it; engines, the lake,
and whoever reads Parquet by a catalog's paths call it.

A file of a lake never changes, so what was read of one stays on this machine (``block_cache``): its
end, where Parquet has its footer, with the first request, then blocks as they are asked for. A
small file is its own end.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from escudo.core.errors import EscudoError
from escudo.storage.block_cache import BlockCache, open_block_cache
from escudo.storage.opening import find_scheme, open_storage

END_BYTES = 256 << 10
"""Of a file that are read first. A footer of 100 columns and 20 row groups has 150 kB."""
BLOCK_BYTES = 1 << 20
"""Of a block: a request takes some 30 ms, and a megabyte 10 ms more."""


def open_file(place: str) -> str | RemoteFile:
    """What Arrow opens: the path itself, or a file of a storage elsewhere.

    >>> open_file("/lake/a.parquet")
    '/lake/a.parquet'
    """
    return place if find_scheme(place) is None else RemoteFile(place)


def find_size(place: str) -> int:
    """The bytes of a file: OSError where it is gone, or cannot be asked for."""
    if find_scheme(place) is None:
        return os.path.getsize(place)
    try:
        return RemoteFile(place).size
    except EscudoError as error:
        raise OSError(str(error)) from error


def hold_at_most(size: int, paths: Iterable[str]) -> bool:
    """Whether files have no more than so many bytes together; not if one of them is gone."""
    with suppress(OSError):
        for path in paths:
            size -= find_size(path)
            if size < 0:
                return False
        return True
    return False


class RemoteFile(io.RawIOBase):
    """A file at a URL that can only be read. Not for several threads at once.

    Raises:
        FileNotFoundError: it is gone.
        EscudoError: STO001, STO002 where it cannot be read.
    """

    def __init__(self, place: str, cache: BlockCache | None = None) -> None:
        super().__init__()
        folder, _, self._name = place.rpartition("/")
        self._place = place
        self._key = f"{os.environ.get('AWS_ENDPOINT_URL', '')} {place}"
        self._storage: Any = open_storage(folder)
        self._cache = open_block_cache() if cache is None else cache
        self._at = 0
        self._block: tuple[int, bytes] | None = None
        self.size, self._end = self._read_end()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = self.size if size is None or size < 0 else min(self.size, self._at + size)
        if end <= self._at:
            return b""
        content = self._read_between(self._at, end)
        self._at = end
        return content

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def _read_between(self, start: int, end: int) -> bytes:
        after = self.size - len(self._end)
        if start >= after:
            return self._end[start - after : end - after]
        first, last = start // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        blocks = {n: self._find(n) for n in range(first, last + 1)}
        for begin, stop in _list_gaps(blocks):
            self._fetch(blocks, begin, stop)
        self._block = (last, blocks[last] or b"")
        whole = b"".join(content or b"" for content in blocks.values())
        return whole[start - first * BLOCK_BYTES : end - first * BLOCK_BYTES]

    def _find(self, number: int) -> bytes | None:
        if self._block is not None and self._block[0] == number:
            return self._block[1]
        return self._cache.find(self._key, str(number))

    def _fetch(self, blocks: dict[int, bytes | None], begin: int, stop: int) -> None:
        """Reads blocks that follow each other in one request."""
        start, end = begin * BLOCK_BYTES, min(self.size, stop * BLOCK_BYTES)
        try:
            content = self._storage.read_range(self._name, start, end)
        except FileNotFoundError as error:
            raise FileNotFoundError(self._place) from error
        if len(content) != end - start:
            raise EscudoError("STO001", f"{self._place}: an answer is short")
        for number in range(begin, stop):
            offset = (number - begin) * BLOCK_BYTES
            blocks[number] = content[offset : offset + BLOCK_BYTES]
            self._cache.keep(self._key, str(number), blocks[number] or b"")

    def _read_end(self) -> tuple[int, bytes]:
        kept = self._cache.find(self._key, "end")
        if kept is None:
            try:
                size, content = self._storage.read_end(self._name, END_BYTES)
            except FileNotFoundError as error:
                raise FileNotFoundError(self._place) from error
            kept = size.to_bytes(8, "big") + content
            self._cache.keep(self._key, "end", kept)
        return int.from_bytes(kept[:8], "big"), kept[8:]


def _list_gaps(blocks: dict[int, bytes | None]) -> list[tuple[int, int]]:
    """The stretches of blocks that are not there: the first, and the one after the last."""
    gaps: list[tuple[int, int]] = []
    for number, content in blocks.items():
        if content is not None:
            continue
        if gaps and gaps[-1][1] == number:
            gaps[-1] = gaps[-1][0], number + 1
        else:
            gaps.append((number, number + 1))
    return gaps
