"""A lake -> which of its files are damaged; or a new ledger for its tables. For ``escudo lake``."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.core.errors import EscudoError
from escudo.lake import delta
from escudo.lake.digests import is_intact
from escudo.lake.identity import Identity, identify_file
from escudo.lake.labels import MARKS
from escudo.lake.ledger import IngestedFile, Ledger
from escudo.lake.parquet_files import count_sources
from escudo.lake.place import LEDGER, TABLES
from escudo.lake.store import Lake
from escudo.storage import Folder, Storage
from escudo.storage.folder import sync_folder


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file that is not as it was written; ``cause`` is missing, damaged or unreadable."""

    table: str
    path: str
    cause: str


@dataclass(frozen=True, slots=True)
class LostFile:
    """A log of which fewer events can be read than came in and were not taken out on purpose.
    ``readable`` counts the latter, too.

    ``there`` is whether the log lies where it was, with the same size, and can be read in again.
    """

    path: str
    events: int
    readable: int
    there: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. ``unnamed`` counts files without a digest, which were only read through."""

    files: int
    bytes: int
    unnamed: int
    damaged: tuple[DamagedFile, ...]
    lost: tuple[LostFile, ...]


def verify(lake: Lake) -> Verified:
    """Reads every file of every table, and says what is damaged and which logs it came from."""
    snapshot = lake.snapshot()
    damaged: list[DamagedFile] = []
    events: Counter[str] = Counter()
    files = size = unnamed = 0
    for table in snapshot.tables():
        try:
            listed = snapshot.data_files(table)
        except EscudoError as error:
            damaged.append(DamagedFile(table, table, error.diagnostic.message))
            continue
        for file in listed:
            folder = lake.tables_folder.below(table)
            files, size = files + 1, size + file.size
            cause, named = _examine(folder, file.path)
            unnamed += not named
            if cause is not None:
                damaged.append(DamagedFile(table, folder.place(file.path), cause))
            elif table.startswith("raw_"):
                events.update(count_sources(folder.place(file.path)))
    lost: tuple[LostFile, ...] = ()
    if damaged:
        lost = tuple(_find_lost(lake.ledger.files(), events + Counter(lake.ledger.dropped())))
    return Verified(files, size, unnamed, tuple(damaged), lost)


def _examine(table: Storage, name: str) -> tuple[str | None, bool]:
    """Why a file is not what it should be, if it is not; and whether its name says what it is."""
    with tempfile.TemporaryDirectory(prefix="escudo-verify-") as copies:
        return _examine_copy(table, name, Path(copies))


def _examine_copy(table: Storage, name: str, copies: Path) -> tuple[str | None, bool]:
    try:
        path = table.fetch(name, copies)
        intact = is_intact(path)
        if intact is None:
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    file.read_row_group(group)
    except FileNotFoundError:
        return "missing", True
    except (OSError, pa.ArrowException):
        return "unreadable", True
    return ("damaged" if intact is False else None), intact is not None


def _find_lost(files: list[IngestedFile], events: Mapping[str, int]) -> Iterator[LostFile]:
    for file in files:
        readable = events.get(file.path, 0)
        if readable < file.events:
            there = False
            with suppress(OSError):
                there = Path(file.path).stat().st_size == file.identity.size
            yield LostFile(file.path, file.events, readable, there)


@dataclass(frozen=True, slots=True)
class Repaired:
    """A new ledger: the tables and their versions, the logs whose events they hold, and where the
    old ledger was put, if there was one."""

    tables: Mapping[str, int]
    logs: int
    kept: Path | None


def repair(path: Path) -> Repaired:
    """Makes a new ledger for a lake whose own is lost or damaged, from its Delta tables.

    Every table is taken at its last version; what a crash had left of an unfinished commit counts
    as committed. A last entry of a table's log that was torn was not committed: it is renamed, and
    so are rows of data models passed over whose events are not there. Logs that lie where they were
    are known again, so they are not read in twice. Whether events carry labels is not known any
    more, so those of all logs are taken to. The old ledger is kept beside the new one.

    Raises:
        EscudoError: LAK001 where there are no tables; LAK004 where another version of Escudo wrote
            the lake; LAK019 where there is nothing to repair; LAK005, LAK006, LAK018 where a table
            cannot be read, which is mended first.
    """
    folder = path / TABLES
    tables_folder = Folder(folder)
    if not folder.is_dir():
        raise EscudoError("LAK001", f"{path} has no tables")
    if _is_sound(path / LEDGER) and _is_readable(tables_folder, Ledger(path / LEDGER)):
        raise EscudoError("LAK019", f"{path / LEDGER} is sound; nothing was changed")
    versions: dict[str, int] = {}
    events: Counter[str] = Counter()
    last = 0
    torn = False
    tables = sorted(p for p in folder.iterdir() if (p / "_delta_log").is_dir())
    for table in tables:
        torn = _set_torn_entry_aside(table) or torn
        version = _find_last_version(table)
        if version is not None:
            versions[table.name] = version
    if torn:
        _pass_over_orphans(tables_folder, versions)
    for name, version in versions.items():
        for file in delta.active_files(tables_folder.below(name), version):
            last = max(last, _last_event_id(folder / name / file.path, name))
            if name.startswith("raw_"):
                events.update(count_sources(str(folder / name / file.path)))
    kept = None
    try:
        if (path / LEDGER).exists():
            kept = path / f"{LEDGER}.damaged-{int(time.time())}"
            (path / LEDGER).rename(kept)
        for rest in ("-wal", "-shm", "-journal"):
            (path / f"{LEDGER}{rest}").unlink(missing_ok=True)
        files = list(_known_again(events))
        # It takes its place when it is whole: an empty ledger would be a sound one.
        made = path / f"{LEDGER}.new"
        for rest in ("", "-journal"):
            made.with_name(made.name + rest).unlink(missing_ok=True)
        ledger = Ledger.create(made)
        ledger.allocate(last)
        with ledger.exclusive() as transaction:
            transaction.record("repair", versions, files)
            transaction.note(MARKS + name for name in versions if name.startswith("raw_"))
        made.rename(path / LEDGER)
        sync_folder(path)
    except OSError as error:
        raise delta.unwritable(path, error) from error
    return Repaired(versions, len(files), kept)


def _set_torn_entry_aside(table: Path) -> bool:
    """Renames the last entry of a table's log if it was not written to its end; whether it was."""
    entries = sorted((table / "_delta_log").glob("[0-9]*.json"))
    if not entries:
        return False
    try:
        lines = entries[-1].read_bytes().splitlines()
        if lines and all(isinstance(json.loads(line), dict) for line in lines):
            return False
    except OSError as error:
        raise delta.unwritable(table, error) from error
    except ValueError:
        pass
    try:
        entries[-1].rename(entries[-1].with_name(f"torn-{int(time.time())}-{entries[-1].name}"))
    except OSError as error:
        raise delta.unwritable(table, error) from error
    return True


def _find_last_version(table: Path) -> int | None:
    """None for a table whose only entry was torn: nothing of it was committed."""
    if not any((table / "_delta_log").glob("[0-9]*")):
        return None
    return delta.find_last_version(Folder(table))


def _pass_over_orphans(folder: Folder, versions: dict[str, int]) -> None:
    """Takes tables of data models back to where all their rows have their events: those of the
    commit whose part in a table of events was torn have not."""

    def read(name: str) -> pa.ChunkedArray:
        files = delta.active_files(folder.below(name), versions[name])
        parts = [_read_event_ids(folder.path / name / f.path, name) for f in files]
        return pa.chunked_array([c for part in parts for c in part.chunks], pa.int64())

    raw = [n for n in versions if n.startswith("raw_")]
    events = pa.chunked_array([c for name in raw for c in read(name).chunks], pa.int64())
    for name in versions.keys() - set(raw):
        while versions[name] > 0 and pc.any(pc.invert(pc.is_in(read(name), events))).as_py():
            versions[name] -= 1


def _is_sound(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        Ledger.open(path).head()  # first of all, since it rolls back what a crash has left
    except EscudoError as error:
        if error.code == "LAK004" and _is_whole(path):
            raise  # another version of Escudo knows what to do with it
        return False
    return _is_whole(path)


def _is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    except (sqlite3.Error, OSError):
        return False


def _is_readable(folder: Folder, ledger: Ledger) -> bool:
    """Whether the log of every table can be read at the version that the ledger has."""
    try:
        for name, version in ledger.head().versions.items():
            delta.active_files(folder.below(name), version)
    except EscudoError:
        return False
    return True


def _last_event_id(path: Path, table: str) -> int:
    return pc.max(_read_event_ids(path, table)).as_py() or 0


def _read_event_ids(path: Path, table: str) -> pa.ChunkedArray:
    try:
        found = pq.read_table(path, columns=["_event_id"])["_event_id"]
    except FileNotFoundError as error:
        raise EscudoError("LAK005", f"table {table}: {path} is missing") from error
    except (OSError, pa.ArrowException) as error:
        raise EscudoError("LAK018", f"table {table}: {path} cannot be read") from error
    return found


def _known_again(events: Mapping[str, int]) -> Iterator[IngestedFile]:
    for name, count in sorted(events.items()):
        path = Path(name)
        if path.is_file():
            with suppress(EscudoError):
                identity: Identity = identify_file(path)
                yield IngestedFile(identity, name, count, 0, time.time())
