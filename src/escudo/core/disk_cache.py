"""Values that were dear to make -> files of a folder, by what they were made from; made by who
starts a program, used where content is loaded and detections are screened.

A value is kept under a key that says all that it depends on, Escudo's own code included: where
anything differs there is another key, so a stale value is never found. A file that is damaged is
taken away, and the value is made again.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, cast

from platformdirs import user_cache_path

T = TypeVar("T")

MOST_FILES = 24
"""Values that are kept; the ones that were not used for longest go."""

_DIGEST_BYTES = 32


class DiskCache:
    """A folder of kept values; without a folder nothing is kept.

    The values are pickles, as Python's own compiled files are code: a folder that others can write
    to is not used, nor one of another user.

    >>> DiskCache(None).recall("number", b"made from this", lambda: 5)
    5
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if folder is not None and is_own(folder) else None

    @property
    def folder(self) -> Path | None:
        """Where values are kept; None: nowhere."""
        return self._folder

    def recall(self, kind: str, key: bytes, make: Callable[[], T]) -> T:
        """The value that was kept for a key, or else the one that is made now, and kept."""
        found = self.find(kind, key)
        if found is not None:
            return cast(T, found)
        made = make()
        self.keep(kind, key, made)
        return made

    def find(self, kind: str, key: bytes) -> object | None:
        """The value that was kept for a key; None, which is never kept, if there is none."""
        return None if self._folder is None else _read(self._folder / _name(kind, key))

    def keep(self, kind: str, key: bytes, value: object) -> None:
        """Keeps a value; where the disk does not take it, it is made again the next time."""
        if self._folder is None:
            return
        content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        with suppress(OSError):
            handle, draft = tempfile.mkstemp(prefix=".draft-", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest())
                    file.write(content)
                Path(draft).replace(self._folder / _name(kind, key))
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            self._clear()

    def _clear(self) -> None:
        assert self._folder is not None
        files = [(p.stat().st_mtime, p) for p in self._folder.iterdir() if p.is_file()]
        for _, path in sorted(files, reverse=True)[MOST_FILES:]:
            path.unlink(missing_ok=True)


def _name(kind: str, key: bytes) -> str:
    digest = hashlib.blake2b(key, digest_size=16)
    digest.update(code_digest())
    return f"{kind}-{digest.hexdigest()}"


@lru_cache(maxsize=1)
def code_digest() -> bytes:
    """What tells this code from any other: the files of the package, and the Python it runs on."""
    digest = hashlib.blake2b(f"{sys.version}|{sys.platform}".encode(), digest_size=16)
    root = Path(__file__).parents[1]
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            if not name.endswith(".pyc"):
                told = os.stat(os.path.join(folder, name))
                digest.update(f"{folder}/{name}|{told.st_size}|{told.st_mtime_ns}".encode())
    return digest.digest()


def _read(path: Path) -> object | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content = memoryview(data)[_DIGEST_BYTES:]
    intact = hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest() == data[:_DIGEST_BYTES]
    try:
        if intact:
            value: object = pickle.loads(content)  # nosec B301: the user's own
            os.utime(path)
            return value
    except Exception:  # whatever unpickling raises: the value is made again
        pass
    with suppress(OSError):
        path.unlink()
    return None


def find_cache_folder() -> Path | None:
    """The folder for what is kept from one run to the next; None where nothing is to be kept.

    It is the one that the environment's ``ESCUDO_CACHE`` names (nowhere if it is empty), or else
    ``escudo`` in the user's own cache folder.
    """
    named = os.environ.get("ESCUDO_CACHE")
    if named is not None:
        return Path(named) if named else None
    return user_cache_path("escudo")


def is_own(folder: Path) -> bool:
    """Whether a folder, made if need be, is this user's alone to write to."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = folder.stat()
    except OSError:
        return False
    mine = not hasattr(os, "getuid") or told.st_uid == os.getuid()
    return mine and not told.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
