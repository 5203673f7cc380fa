"""A lake, a place -> the same lake there, checked; for ``escudo lake copy`` and ``move``.

Files go first, then the logs of their tables, then one commit of the new ledger, so until the end
there is an empty lake. A copy that was stopped goes on where it was: files are named after their
content, and what is there with its size is not sent again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from escudo.core.errors import EscudoError
from escudo.lake import delta
from escudo.lake.artifacts import COLLECTIONS, JOBS, LOOKUPS, MODELS
from escudo.lake.delta import DataFile
from escudo.lake.digests import is_intact
from escudo.lake.ledger import Commit, Mark
from escudo.lake.place import IDENTITY, REJECTED
from escudo.lake.snapshot import Snapshot
from escudo.lake.store import Lake
from escudo.storage import Storage

KIND = "copy"
"""The kind of the commit that makes a copy visible."""
_SOURCE = "copy from"
"""The mark of a copy that is not finished: what it is made of."""
_AT_ONCE = 8
"""Files that are sent at once."""
_OTHERS = (LOOKUPS, COLLECTIONS, MODELS, JOBS, REJECTED)


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table of the copy. ``sent`` of its files were not there yet."""

    name: str
    rows: int
    files: int
    bytes: int
    sent: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, and checked: tables, and the other files by their folders."""

    tables: tuple[CopiedTable, ...]
    others: int
    commit: int
    """The source's commit that it is a copy of."""


def copy_lake(
    source: Lake, target: Lake, *, told: Callable[[CopiedTable], None] | None = None
) -> Copied:
    """Copies a lake as it is now; what comes in meanwhile is not in the copy.

    Every file is read again where it went, and its content compared with its name. Files of older
    lakes, whose names say nothing of their content, are compared with their originals.

    Args:
        source: stays as it is.
        target: a lake without commits; or with those of a copy of the same lake that was stopped.
        told: is told of each table when it is there.

    Raises:
        EscudoError: LAK035 where the target holds something else; LAK005, LAK018 where a file of
            the source is missing or damaged, LAK036 where one did not arrive as it was.
    """
    snapshot = source.snapshot()
    _begin(source, target)
    tables: list[CopiedTable] = []
    versions: dict[str, int] = {}
    for name in snapshot.tables():
        files = snapshot.data_files(name)
        sent = _send_files(source, target, name, files)
        versions[name] = _write_log(target, name, source, files)
        table = CopiedTable(
            name, sum(f.rows for f in files), len(files), sum(f.size for f in files), sent
        )
        tables.append(table)
        if told is not None:
            told(table)
    others = sum(_send_others(source.storage.below(k), target.storage.below(k)) for k in _OTHERS)
    _finish(source, target, versions)
    _compare(snapshot, target.snapshot())
    return Copied(tuple(tables), others, snapshot.commit.id)


def empty_lake(lake: Lake, commit: int) -> None:
    """Deletes all that a lake is, once it was copied as it was at a commit. Its ledger stays, with
    a commit that has no tables.

    Raises:
        EscudoError: LAK037 where something came in since; then nothing is deleted.
    """
    with lake.ledger.exclusive() as transaction:
        if transaction.head().id != commit:
            message = f"{lake.place} was written to since it was copied"
            raise EscudoError("LAK037", message)
        transaction.record("moved", {})
    for name in lake.tables_folder.list_folders():
        table = lake.tables_folder.below(name)
        for folder in (table.below("_delta_log"), table):
            for stored in list(folder.list_files()):
                folder.delete(stored.name)
    for kind in _OTHERS:
        for stored in list(lake.storage.below(kind).list_files()):
            lake.storage.below(kind).delete(stored.name)


def _begin(source: Lake, target: Lake) -> None:
    """Notes in an empty target what is copied there; nothing where that was noted before."""
    if target.storage.url == source.storage.url:
        raise EscudoError("LAK035", f"{target.place} is the lake itself")
    noted = target.ledger.marks(_SOURCE).get(_SOURCE)
    if target.ledger.head().id or noted not in (None, source.place):
        what = f"a copy of {noted}" if noted else "a lake of its own"
        raise EscudoError("LAK035", f"{target.place} holds {what}")
    if noted is None:
        target.ledger.move_mark(Mark(_SOURCE, None, source.place))


def _send_files(source: Lake, target: Lake, table: str, files: tuple[DataFile, ...]) -> int:
    """Sends the files of a table, and reads each again where it went; how many were sent."""
    came, went = source.tables_folder.below(table), target.tables_folder.below(table)
    there = {stored.name: stored.size for stored in went.list_files()}

    def send(file: DataFile) -> bool:
        with tempfile.TemporaryDirectory(prefix="escudo-copy-") as folder:
            known = there.get(file.path) == file.size
            if known and _arrived(came, went, file, Path(folder)):
                return False
            try:
                original = came.fetch(file.path, Path(folder) / "from")
            except FileNotFoundError as error:
                message = f"table {table}: {came.place(file.path)} is missing"
                raise EscudoError("LAK005", message) from error
            if is_intact(original) is False:
                message = f"table {table}: {original} is not as it was written"
                raise EscudoError("LAK018", message)
            draft = Path(folder) / "draft.parquet"
            shutil.copyfile(original, draft)
            went.take(draft, file.path)
            if not _arrived(came, went, file, Path(folder)):
                raise EscudoError("LAK036", f"{went.place(file.path)} is not as it was sent")
            return True

    with ThreadPoolExecutor(_AT_ONCE, "escudo-copy") as senders:
        return sum(senders.map(send, files))


def _arrived(came: Storage, went: Storage, file: DataFile, folder: Path) -> bool:
    copy = went.fetch(file.path, folder / "to")
    intact = is_intact(copy)
    if intact is not None:
        return intact
    return copy.read_bytes() == came.fetch(file.path, folder / "from").read_bytes()


def _write_log(target: Lake, table: str, source: Lake, files: tuple[DataFile, ...]) -> int:
    """Makes the log of a table; what an earlier copy had written of it is undone."""
    folder = target.tables_folder.below(table)
    schema = source.tables.layout(table).schema
    return delta.append(folder, schema, files, pinned=None)


def _send_others(came: Storage, went: Storage) -> int:
    names = [stored.name for stored in came.list_files() if not stored.name.startswith(".")]
    for name in names:
        content = came.read(name)
        went.write(name, content)
        if went.read(name) != content:
            raise EscudoError("LAK036", f"{went.place(name)} is not as it was sent")
    return len(names)


def _finish(source: Lake, target: Lake, versions: Mapping[str, int]) -> Commit:
    """One commit of the new ledger: the tables, the files that had come in, marks, dropped events,
    and ids that go on after those that are given."""
    given, here = source.ledger.allocate(0).stop, target.ledger.allocate(0).stop
    target.ledger.allocate(max(0, given - here))
    with target.ledger.exclusive() as transaction:
        transaction.set_marks(_list_marks(source, target))
        transaction.note_dropped(source.ledger.dropped())
        return transaction.record(KIND, versions, source.ledger.files())


def _list_marks(source: Lake, target: Lake) -> Iterator[Mark]:
    """Those of the source, but for what says which lake a ledger is of."""
    for name, value in source.ledger.marks().items():
        if name not in (IDENTITY, _SOURCE):
            yield Mark(name, None, value)
    yield Mark(_SOURCE, source.place, None)


def _compare(before: Snapshot, after: Snapshot) -> None:
    for table in before.tables():
        rows = sum(file.rows for file in before.data_files(table))
        copied = sum(file.rows for file in after.data_files(table))
        names = {file.path for file in before.data_files(table)}
        if rows != copied or names != {file.path for file in after.data_files(table)}:
            message = f"table {table} has {copied:,} rows in the copy, not {rows:,}"
            raise EscudoError("LAK036", message)
