"""A test's data, as its YAML names it -> a file on this machine, or why there is none; called by
``actions.run_tests``.

Data is a path beside the detection's file, or a URL: then a copy in a checkout of attack data, in
the folder of downloads, or what is fetched now. A Git LFS pointer stands for the object that its
checkout keeps (git-lfs, docs/spec.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from escudo.content import Detection
from escudo.content.elements.detection import AttackData
from escudo.content.roots import stays_inside
from escudo.core.errors import EscudoError

Fetch = Callable[[str, Path], None]
"""Writes what a URL gives to a file; DET110 where it gives nothing."""

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:[^\n]+\n)*?"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d+)\n"
)
_POINTER_BYTES = 1024
"""A pointer is shorter than this (git-lfs, docs/spec.md)."""
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class LocalData:
    """A file that holds a test's data. ``origin``: path, copy, lfs, kept (an earlier download) or
    download."""

    data: AttackData
    path: Path
    origin: str


@dataclass(frozen=True, slots=True)
class AbsentData:
    """Data that is not on this machine, and why."""

    data: AttackData
    reason: str


class DataFinder:
    """Finds the data of tests; several threads may ask. A URL is fetched once.

    Args:
        folders: checkouts of attack data, where a URL's copy is looked for by the end of its path.
        kept: the folder of downloads; None: nothing is fetched.
        make_fetch: makes what fetches, when it is first needed; None: nothing is fetched, and what
            was fetched earlier is used.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (),
        *,
        kept: Path | None = None,
        make_fetch: Callable[[], Fetch] | None = None,
    ) -> None:
        self._folders = tuple(folders)
        self._kept = kept
        self._make_fetch = make_fetch
        self._fetch: Fetch | None = None
        self._failed: dict[str, str] = {}
        self._locks: dict[str, Lock] = {}

    @property
    def fetches(self) -> bool:
        """Whether it fetches what is not here."""
        return self._kept is not None and self._make_fetch is not None

    def find(self, detection: Detection, data: AttackData) -> LocalData | AbsentData:
        """The file of some data.

        Raises:
            EscudoError: CON211 for a path that leads out of the detection's content.
        """
        if "://" not in data.data:
            return _find_beside(detection, data)
        copy = find_copy(data.data, self._folders)
        if copy is not None:
            return _resolve(data, copy, "copy")
        with self._locks.setdefault(data.data, Lock()):
            return self._find_download(data)

    def _find_download(self, data: AttackData) -> LocalData | AbsentData:
        url = data.data
        if not url.lower().startswith(("https://", "http://")):
            return AbsentData(data, f"{url} is neither http nor https")
        if self._kept is None:
            return AbsentData(data, f"no local copy of {url}")
        path = self._kept / name_download(url)
        if path.is_file():
            return _resolve(data, path, "kept")
        if self._make_fetch is None:
            return AbsentData(data, f"no local copy of {url}")
        if url not in self._failed:
            self._fetch = self._fetch or self._make_fetch()
            try:
                self._fetch(url, path)
                return _resolve(data, path, "download")
            except EscudoError as error:
                self._failed[url] = error.diagnostic.message
        return AbsentData(data, self._failed[url])


def find_copy(url: str, folders: Sequence[Path]) -> Path | None:
    """The copy of a URL's file in some folders: the file whose path is the end of the URL's, the
    longest first. None where there is none, or where it lies outside of its folder."""
    parts = url.split("://", 1)[1].split("/")
    for folder in folders:
        for start in range(1, len(parts)):
            path = folder.joinpath(*parts[start:])
            if stays_inside(path, folder) and path.is_file():
                return path
    return None


def name_download(url: str) -> str:
    """The name of the file that a URL's content is kept in.

    >>> name_download("https://host.example/T1047/windows-sysmon.log")[-19:]
    '-windows-sysmon.log'
    """
    digest = hashlib.blake2b(url.encode(), digest_size=16).hexdigest()
    name = _NAME.sub("_", url.rpartition("/")[2])[-80:]
    return f"{digest}-{name}"


def _find_beside(detection: Detection, data: AttackData) -> LocalData | AbsentData:
    """A path relative to the detection's file; or to its content's folder, as contentctl has it."""
    origin = Path(detection.origin.file)
    root = Path(detection.origin.root or origin.parent)
    for folder in (origin.parent, root):
        path = folder / data.data
        if stays_inside(path, root) and path.is_file():
            return _resolve(data, path.resolve(), "path")
    if not stays_inside(origin.parent / data.data, root):
        message = f"{detection.name}: {data.data} is outside of the content"
        raise EscudoError("CON211", message, span=detection.origin.search)
    return AbsentData(data, f"no file {data.data}")


def _resolve(data: AttackData, path: Path, origin: str) -> LocalData | AbsentData:
    """A file as it is; of a Git LFS pointer the object that it stands for."""
    pointer = read_pointer(path)
    if pointer is None:
        return LocalData(data, path, origin)
    oid, size = pointer
    for store in _list_stores(path):
        target = store / oid[:2] / oid[2:4] / oid
        if target.is_file() and target.stat().st_size == size:
            return LocalData(data, target, "lfs")
    return AbsentData(
        data, f"{path} is a Git LFS pointer whose object is not here (`git lfs pull` fetches it)"
    )


def read_pointer(path: Path) -> tuple[str, int] | None:
    """The object id (SHA-256) and size that a Git LFS pointer names; None for any other file."""
    try:
        if path.stat().st_size >= _POINTER_BYTES:
            return None
        found = _POINTER.fullmatch(path.read_bytes())
    except OSError:
        return None
    return None if found is None else (found["oid"].decode(), int(found["size"]))


def _list_stores(path: Path) -> Iterator[Path]:
    """The folders of LFS objects of the checkout that a file lies in, a worktree's included."""
    for folder in path.absolute().parents:
        mark = folder / ".git"
        if mark.is_dir():
            yield mark / "lfs" / "objects"
            return
        if mark.is_file():
            named = mark.read_text("utf-8", "replace").partition("gitdir:")[2].strip()
            own = folder / named
            yield own / "lfs" / "objects"
            common = own / "commondir"
            if common.is_file():
                yield own / common.read_text("utf-8", "replace").strip() / "lfs" / "objects"
            return
