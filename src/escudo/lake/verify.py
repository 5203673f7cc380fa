"""A lake -> which of its files are damaged; or a new ledger for its tables. For ``escudo lake``."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from escudo.core.errors import EscudoError
from escudo.lake import delta
from escudo.lake.digests import is_intact
from escudo.lake.identity import Identity, identify_file
from escudo.lake.ledger import IngestedFile, Ledger
from escudo.lake.store import LEDGER, TABLES, Lake


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file that is not as it was written; ``cause`` is missing, damaged or unreadable."""

    table: str
    path: str
    cause: str


@dataclass(frozen=True, slots=True)
class LostFile:
    """A log of which fewer events can be read than came in.

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
            path = lake.tables_folder / table / file.path
            files, size = files + 1, size + file.size
            cause, named = _examine(path)
            unnamed += not named
            if cause is not None:
                damaged.append(DamagedFile(table, str(path), cause))
            elif table.startswith("raw_"):
                events.update(_count_sources(path))
    lost = tuple(_find_lost(lake.ledger.files(), events)) if damaged else ()
    return Verified(files, size, unnamed, tuple(damaged), lost)


def _examine(path: Path) -> tuple[str | None, bool]:
    """Why a file is not what it should be, if it is not; and whether its name says what it is."""
    try:
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


def _count_sources(path: Path) -> Mapping[str, int]:
    """Events by the log that was opened for them: of archives, the outermost one."""
    counts = pc.value_counts(pq.read_table(path, columns=["source_file"])["source_file"])
    totals: Counter[str] = Counter()
    for entry in counts.to_pylist():
        totals[str(entry["values"]).partition("!")[0]] += entry["counts"]
    return totals


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
    as committed. Logs that lie where they were are known again, so they are not read in twice.
    The old ledger is kept beside the new one.

    Raises:
        EscudoError: LAK001 where there are no tables; LAK019 where the ledger is sound; LAK005,
            LAK006, LAK018 where a table cannot be read, which is mended first.
    """
    folder = path / TABLES
    if not folder.is_dir():
        raise EscudoError("LAK001", f"{path} has no tables")
    if _is_sound(path / LEDGER):
        raise EscudoError("LAK019", f"{path / LEDGER} is sound; nothing was changed")
    versions: dict[str, int] = {}
    events: Counter[str] = Counter()
    last = 0
    for table in sorted(p for p in folder.iterdir() if (p / "_delta_log").is_dir()):
        try:
            versions[table.name] = DeltaTable(table).version()
        except Exception as error:
            raise delta.explain_log_error(table.name, "cannot be opened", error) from error
        for file in delta.active_files(table, versions[table.name]):
            last = max(last, _last_event_id(table / file.path, table.name))
            if table.name.startswith("raw_"):
                events.update(_count_sources(table / file.path))
    kept = None
    try:
        if (path / LEDGER).exists():
            kept = path / f"{LEDGER}.damaged-{int(time.time())}"
            (path / LEDGER).rename(kept)
        for rest in ("-wal", "-shm", "-journal"):
            (path / f"{LEDGER}{rest}").unlink(missing_ok=True)
        files = list(_known_again(events))
        ledger = Ledger.create(path / LEDGER)
    except OSError as error:
        raise delta.unwritable(path, error) from error
    ledger.allocate(last)
    with ledger.exclusive() as transaction:
        transaction.record("repair", versions, files)
    return Repaired(versions, len(files), kept)


def _is_sound(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        Ledger.open(path).head()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    except (EscudoError, sqlite3.Error, OSError):
        return False


def _last_event_id(path: Path, table: str) -> int:
    try:
        found = pc.max(pq.read_table(path, columns=["_event_id"])["_event_id"]).as_py()
    except FileNotFoundError as error:
        raise EscudoError("LAK005", f"table {table}: {path} is missing") from error
    except (OSError, pa.ArrowException) as error:
        raise EscudoError("LAK018", f"table {table}: {path} cannot be read") from error
    return found or 0


def _known_again(events: Mapping[str, int]) -> Iterator[IngestedFile]:
    for name, count in sorted(events.items()):
        path = Path(name)
        if path.is_file():
            with suppress(EscudoError):
                identity: Identity = identify_file(path)
                yield IngestedFile(identity, name, count, 0, time.time())
