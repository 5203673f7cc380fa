"""Pieces of files that never change -> a folder of bounded size; ``reading`` keeps them there.

Several processes share it. A piece is a file that is replaced as a whole and says its own digest,
so a damaged one is not believed. What was not used for longest goes first.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from blake3 import blake3

from escudo.core.disk_cache import find_cache_folder, is_own

VARIABLE = "ESCUDO_CACHE_GB"
USUAL_GB = 4.0
_DIGEST_BYTES = 16
_LOOKED_AFTER = 64 << 20
"""Bytes that a process adds before it looks whether there are too many."""
_ROOM = 0.9
"""Of the limit is what stays, so that this is not done again at once."""
_TOUCHED_SECONDS = 600.0
"""A use is noted where the last one was noted longer ago."""


class BlockCache:
    """Pieces by name of a file and of the piece; without a folder nothing is kept.

    >>> BlockCache(None, 0).find("a", "0") is None
    True
    """

    def __init__(self, folder: Path | None, most_bytes: int) -> None:
        self._folder = folder if most_bytes and folder is not None and is_own(folder) else None
        self._most_bytes = most_bytes
        self._added = 0

    def find(self, file: str, piece: str) -> bytes | None:
        """A piece that was kept; None where there is none."""
        if self._folder is None:
            return None
        path = self._name(file, piece)
        try:
            with path.open("rb") as stream:
                kept = stream.read()
                used = os.fstat(stream.fileno()).st_mtime
        except OSError:
            return None
        content = kept[_DIGEST_BYTES:]
        if blake3(content).digest(_DIGEST_BYTES) != kept[:_DIGEST_BYTES]:
            path.unlink(missing_ok=True)
            return None
        if used < time.time() - _TOUCHED_SECONDS:
            with suppress(OSError):
                os.utime(path)
        return content

    def keep(self, file: str, piece: str, content: bytes) -> None:
        """Keeps a piece. A disk that does not take it costs time, and nothing else."""
        if self._folder is None:
            return
        path = self._name(file, piece)
        draft = path.with_name(f".{uuid.uuid4().hex}")
        with suppress(OSError):
            try:
                path.parent.mkdir(exist_ok=True)
                draft.write_bytes(blake3(content).digest(_DIGEST_BYTES) + content)
                draft.replace(path)
            except OSError:
                draft.unlink(missing_ok=True)
                raise
            self._added += len(content)
            if self._added >= min(_LOOKED_AFTER, self._most_bytes // 8):
                self._added = 0
                self._clear()

    def _name(self, file: str, piece: str) -> Path:
        assert self._folder is not None
        digest = blake3(file.encode()).hexdigest(16)
        return self._folder / digest[:2] / f"{digest}-{piece}"

    def _clear(self) -> None:
        pieces = sorted(self._list())
        total = sum(size for _, size, _ in pieces)
        if total <= self._most_bytes:
            return
        for _, size, path in pieces:
            with suppress(OSError):
                os.unlink(path)
            total -= size
            if total <= self._most_bytes * _ROOM:
                return

    def _list(self) -> Iterator[tuple[float, int, str]]:
        """When each piece was used last, its bytes, its path."""
        assert self._folder is not None
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(folder, name)
                with suppress(OSError):
                    state = os.stat(path)
                    yield state.st_mtime, state.st_size, path


def open_block_cache() -> BlockCache:
    """The cache of this user: in the folder that ``ESCUDO_CACHE`` names, of ``ESCUDO_CACHE_GB``."""
    return _open(os.environ.get("ESCUDO_CACHE"), os.environ.get(VARIABLE))


@lru_cache(maxsize=8)
def _open(named: str | None, size: str | None) -> BlockCache:
    folder = find_cache_folder()
    try:
        gigabytes = float(size) if size else USUAL_GB
    except ValueError:
        gigabytes = USUAL_GB
    return BlockCache(
        None if folder is None else folder / "blocks", max(0, int(gigabytes * (1 << 30)))
    )
