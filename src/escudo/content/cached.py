"""Content paths -> content, from the cache where none of their files has changed; called by who
runs a program.

The key is the bytes of every file that loading may read, and the names under which they are found.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from escudo.content.apps.app_files import find_apps
from escudo.content.collection import Content, load
from escudo.content.packs import find_overlay
from escudo.content.roots import CONFIG, FOLDERS, find_root
from escudo.core.disk_cache import DiskCache


@dataclass(frozen=True)
class KeyedContent:
    """Content, and what tells it from any other; None where that is not known."""

    content: Content
    key: bytes | None


def load_cached(
    paths: Sequence[Path], *, overlay: Path | None = None, cache: DiskCache
) -> KeyedContent:
    """``content.load``, with what is ready in a cache.

    Files by themselves and Splunk apps in archives are loaded anew each time: the former are read
    at once, the latter are unpacked for as long as they are used.

    Raises:
        EscudoError: what ``content.load`` raises.
    """
    named = [*paths, *([overlay] if overlay is not None else [])]
    key = None
    if cache.folder is not None and all(p.is_dir() for p in named):
        with suppress(OSError):  # loading says what is wrong
            changes = [folder for folder in map(find_overlay, paths) if folder is not None]
            key = digest_folders([*named, *changes])
            key += b"overlay" if overlay is not None else b""
    if key is None:
        return KeyedContent(load(paths, overlay=overlay), None)
    content = cache.recall("content", key, lambda: load(paths, overlay=overlay))
    return KeyedContent(content, key)


def digest_folders(paths: Sequence[Path]) -> bytes:
    """A digest of content folders: their names, those of their files, and what is in the files.

    Raises:
        OSError: where one cannot be read.
    """
    digest = hashlib.blake2b(digest_size=32)
    for path in paths:
        digest.update(b"\0path\0" + os.fsencode(path) + b"\0" + os.fsencode(path.resolve()))
        for file in _list_files(path):
            # Paths are texts here: two thousand `Path` objects take longer than the files.
            data = b""
            if os.path.isfile(file):
                with open(file, "rb", buffering=0) as stream:
                    data = stream.read()
            digest.update(b"\0file\0%s\0%d\0" % (os.fsencode(file), len(data)))
            if os.path.islink(file):
                digest.update(os.fsencode(os.path.realpath(file)))
            digest.update(data)
    return digest.digest()


def _list_files(path: Path) -> Iterator[str]:
    """The files that loading a folder may read, in a fixed order."""
    known = () if find_apps(path) else FOLDERS
    folders = [path / name for name in known if (path / name).is_dir()]
    config = find_root(path) / CONFIG
    if config.is_file():
        yield str(config)
    for folder in folders or [path]:
        for place, inner, names in os.walk(folder):
            inner[:] = sorted(n for n in inner if not n.startswith("."))
            for name in sorted(names):
                yield os.path.join(place, name)
