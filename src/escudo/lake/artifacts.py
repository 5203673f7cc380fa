"""Lookups, models and results of jobs <-> files of a lake; searches and commands call it.

Each is one file, which is replaced as a whole: a reader sees the old one or the new one, also when
the writer is killed. Writers take turns by the ledger's lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.ipc as ipc

from escudo.core.errors import EscudoError
from escudo.lake.delta import unwritable
from escudo.lake.ledger import Ledger
from escudo.lake.leftovers import Work
from escudo.storage import Folder, Storage, Stored, copy_here
from escudo.storage.folder import sync_folder

LOOKUPS = "lookups"
COLLECTIONS = "collections"
MODELS = "models"
JOBS = "jobs"

_SUFFIXES = {LOOKUPS: ".csv", COLLECTIONS: ".csv", MODELS: ".model", JOBS: ".arrow"}


class Artifacts:
    """The kept files of a lake, by kind (one of the folders above) and name."""

    def __init__(self, lake: Storage, ledger: Ledger) -> None:
        self._lake = lake
        self._ledger = ledger

    def find(self, kind: str, name: str) -> Path | None:
        """A file of this machine with the content of a name; None if there is none. LAK017 where
        something else is in its place, so that nobody takes the content's rows for the lake's."""
        file = name_file(kind, name)
        folder = self._lake.below(kind)
        if folder.path is not None and (folder.path / file).is_dir():
            message = f"{folder.path / file} is a folder, not what a search has left"
            raise EscudoError("LAK017", message)
        return copy_here(folder, file)

    def names(self, kind: str) -> Iterator[str]:
        """The names of the files of a kind."""
        yield from (unquote(s.name.removesuffix(_SUFFIXES[kind])) for s in self._list(kind))

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Every file as ``kind/name``, with its bytes."""
        for kind in _SUFFIXES:
            for stored in self._list(kind):
                yield f"{kind}/{unquote(stored.name.removesuffix(_SUFFIXES[kind]))}", stored.size

    def fingerprint(self) -> bytes:
        """What tells these files from those of another time: names, bytes, times of change."""
        told = [
            f"{kind}/{stored.name}|{stored.size}|{stored.modified}"
            for kind in _SUFFIXES
            for stored in self._list(kind)
        ]
        return "\n".join(told).encode()

    def _list(self, kind: str) -> Iterator[Stored]:
        for stored in self._lake.below(kind).list_files():
            if stored.name.endswith(_SUFFIXES[kind]) and not stored.name.startswith("."):
                yield stored

    def model(self, name: str) -> bytes | None:
        """The content of a model, if there is one of the name."""
        path = self.find(MODELS, name)
        try:
            return None if path is None else path.read_bytes()
        except OSError as error:
            raise EscudoError("LAK017", f"model {name!r} ({path}) cannot be read") from error

    def job(self, name: str) -> pa.Table | None:
        """The results of a job, if there is one of the name: LAK017 if they cannot be read."""
        path = self.find(JOBS, name)
        if path is None:
            return None
        try:
            with pa.memory_map(str(path)) as file:
                rows = ipc.open_file(file).read_all()
                rows.validate(full=True)
                return rows
        except (OSError, pa.ArrowException) as error:
            message = f"the results of job {name!r} ({path}) are damaged"
            raise EscudoError("LAK017", message) from error

    def keep_model(self, name: str, content: bytes) -> None:
        """Stores a model: LAK013 if it cannot be written."""
        self.change(MODELS, name, lambda _: content)

    def keep_job(self, name: str, rows: pa.Table) -> None:
        """Stores the results of a job: LAK013 if they cannot be written."""
        sink = pa.BufferOutputStream()
        with ipc.new_file(sink, rows.schema) as writer:
            writer.write_table(rows)
        self.change(JOBS, name, lambda _: sink.getvalue().to_pybytes())

    def change(self, kind: str, name: str, make: Callable[[Path | None], bytes | None]) -> None:
        """Replaces a file by what ``make`` gives for the one that is there; None takes it away.

        No other writer of this lake comes between. LAK013 if the folder cannot be written.
        """
        folder, file = self._lake.below(kind), name_file(kind, name)
        with self._ledger.exclusive():
            content = make(self.find(kind, name))
            try:
                if folder.path is not None:
                    _change_here(folder.path / file, content)
                elif content is not None:
                    folder.write(file, content)
                else:
                    folder.delete(file)
            except OSError as error:
                raise unwritable(folder.place(file), error) from error


def name_file(kind: str, name: str) -> str:
    """The name of the file that has what is kept of a kind under a name; any is one file name.

    >>> name_file(LOOKUPS, "../etc/x y.csv")
    '..%2Fetc%2Fx%20y.csv'
    """
    suffix = _SUFFIXES[kind]
    return quote(name.removesuffix(suffix), safe="") + suffix


def _change_here(path: Path, content: bytes | None) -> None:
    if content is not None:
        _replace(path, content)
    elif path.exists():
        path.unlink()
        sync_folder(path.parent)


def _replace(path: Path, content: bytes) -> None:
    """Puts a file in its place whole, and on the disk."""
    path.parent.mkdir(exist_ok=True)
    with Work(Folder(path.parent.parent)) as work:
        work.begin()
        made = work.folder / path.name
        with made.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(made, path)
        sync_folder(path.parent)
        sync_folder(path.parent.parent)
