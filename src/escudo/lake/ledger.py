"""What is acknowledged: a row a commit pins the versions of all tables; writers and readers.

It is an SQLite file, or a PostgreSQL database (``shared_ledger``). The file's write transaction
(``BEGIN IMMEDIATE``) is at the same time the lock between writers: it is held while the Delta
tables are committed, and the operating system frees it when a process dies.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from escudo.core.errors import EscudoError
from escudo.core.event_log import log_event
from escudo.lake.identity import Identity

FORMAT = 2
"""The version of what is on the disk; another one is LAK004."""
LOCK_SECONDS = 300.0
"""Seconds that a writer waits for another one; then LAK007."""

_TABLES = (
    """CREATE TABLE IF NOT EXISTS lake (
         format INTEGER NOT NULL, created REAL NOT NULL, next_event_id INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS commits (
         id INTEGER PRIMARY KEY, committed REAL NOT NULL, kind TEXT NOT NULL,
         versions TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS files (
         id INTEGER PRIMARY KEY, size INTEGER NOT NULL, blake3 TEXT NOT NULL, path TEXT NOT NULL,
         events INTEGER NOT NULL, rejected INTEGER NOT NULL,
         commit_id INTEGER NOT NULL REFERENCES commits (id), ingested REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS ix_files_size ON files (size)",
)
_LATER_TABLES = {
    "marks": "CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "dropped": """CREATE TABLE IF NOT EXISTS dropped (
      path TEXT PRIMARY KEY, events INTEGER NOT NULL)""",
    "intact": "CREATE TABLE IF NOT EXISTS intact (note TEXT PRIMARY KEY)",
}
"""Tables of a file that are made when something is to be put there."""
_COMMIT = "SELECT id, committed, kind, versions FROM commits"
_FILE = "SELECT size, blake3, path, events, rejected, ingested FROM files"


@dataclass(frozen=True, slots=True)
class Commit:
    """One acknowledged state of the lake: table name -> version of its Delta log."""

    id: int
    committed: float
    kind: str
    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """A file whose events are in the lake; ``ingested`` is in epoch seconds."""

    identity: Identity
    path: str
    events: int
    rejected: int
    ingested: float


@dataclass(frozen=True, slots=True)
class Mark:
    """How far someone has read (an input, say), which is kept with what came of it.

    ``before`` is the value that it had been read on from, None where there was none; ``value`` is
    the new one, None to forget it. Both are texts of who reads.
    """

    name: str
    before: str | None
    value: str | None


class Connection(Protocol):
    """A connection to either kind of database, inside a transaction; parameters are ``?``."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
        """Runs a statement; its rows can be iterated, and fetched."""

    def executemany(self, sql: str, parameters: Sequence[Sequence[Any]], /) -> Any:
        """Runs a statement once for each row of parameters."""


class LedgerTransaction:
    """The held write lock. What it records becomes visible when its ``with`` block ends well."""

    def __init__(self, connection: Connection, ledger: Ledger) -> None:
        self._connection = connection
        self._ledger = ledger
        self.recorded: list[Commit] = []
        """The commits that were added."""

    def head(self) -> Commit:
        return _head(self._connection)

    def known(self, identities: Iterable[Identity]) -> list[IngestedFile]:
        """Those of the files that some commit already holds, the first time each came in."""
        return [earlier for i in identities if (earlier := _find(self._connection, i)) is not None]

    def record(
        self,
        kind: str,
        versions: Mapping[str, int],
        files: Iterable[IngestedFile] = (),
    ) -> Commit:
        """Adds the row that acknowledges a commit, and the files that came in with it."""
        now = time.time()
        text = json.dumps(dict(versions), sort_keys=True)
        number = self._connection.execute(
            "INSERT INTO commits (committed, kind, versions) VALUES (?, ?, ?) RETURNING id",
            (now, kind, text),
        ).fetchone()[0]
        self._connection.executemany(
            """INSERT INTO files (size, blake3, path, events, rejected, commit_id, ingested)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            [
                (
                    f.identity.size,
                    f.identity.blake3,
                    f.path,
                    f.events,
                    f.rejected,
                    number,
                    f.ingested,
                )
                for f in files
            ],
        )
        self.recorded.append(Commit(number, now, kind, dict(versions)))
        return self.recorded[-1]

    def set_marks(self, marks: Iterable[Mark]) -> None:
        """Moves marks on.

        Raises:
            EscudoError: LAK020 where one is not any more where it was read on from: another
                process has read the same.
        """
        self._ledger._provide(self._connection, "marks")
        for mark in marks:
            query = "SELECT value FROM marks WHERE name = ?"
            row = self._connection.execute(query, (mark.name,)).fetchone()
            if (None if row is None else row[0]) != mark.before:
                raise EscudoError("LAK020", f"{mark.name} was read by another process")
            if mark.value is None:
                self._connection.execute("DELETE FROM marks WHERE name = ?", (mark.name,))
            else:
                self._connection.execute(
                    """INSERT INTO marks VALUES (?, ?)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
                    (mark.name, mark.value),
                )

    def note(self, names: Iterable[str]) -> None:
        """Makes marks that say something by being there; those that are there stay."""
        self._ledger._provide(self._connection, "marks")
        self._connection.executemany(
            "INSERT INTO marks VALUES (?, '1') ON CONFLICT (name) DO NOTHING",
            [(name,) for name in sorted(names)],
        )

    def unpin(self, before: float) -> None:
        """Forgets the versions of states that had been followed by another before a time."""
        self._connection.execute(
            """UPDATE commits SET versions = ''
               WHERE id < (SELECT max(id) FROM commits WHERE committed < ?)""",
            (before,),
        )

    def note_dropped(self, events: Mapping[str, int]) -> None:
        """Adds to how many events of each log were taken out of the lake on purpose."""
        self._ledger._provide(self._connection, "dropped")
        self._connection.executemany(
            """INSERT INTO dropped VALUES (?, ?)
               ON CONFLICT (path) DO UPDATE SET events = dropped.events + excluded.events""",
            list(events.items()),
        )

    def forget_intact(self, gone: Iterable[str]) -> None:
        """Takes out the notes of data files (``table/name``) that were deleted."""
        if self._ledger._has(self._connection, "intact"):
            self._connection.executemany(
                "DELETE FROM intact WHERE substr(note, 1, instr(note, char(9)) - 1) = ?",
                [(name,) for name in gone],
            )

    def pinned(self) -> list[Commit]:
        """The commits whose versions readers may still have open, oldest first."""
        rows = self._connection.execute(f"{_COMMIT} WHERE versions <> '' ORDER BY id")
        return [_commit(row) for row in rows]


class Ledger:
    """The SQLite file of a lake. ``name`` is what messages call it, ``place`` opens it again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def lake(self) -> str:
        """What messages call the lake that it is of."""
        return str(self.path.parent)

    def close(self) -> None:
        """Ends its connections, where it keeps some."""

    @classmethod
    def create(cls, path: Path) -> Ledger:
        """Opens the ledger at a path and makes its tables if another process has not."""
        ledger = cls(path)
        with ledger._writing() as connection:
            for table in _TABLES:
                connection.execute(table)
            if connection.execute("SELECT format FROM lake").fetchone() is None:
                connection.execute("INSERT INTO lake VALUES (?, ?, 1)", (FORMAT, time.time()))
        return ledger

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Opens an existing ledger: LAK003 if it cannot be read, LAK004 if of another format."""
        ledger = cls(path)
        with ledger._reading() as connection:
            row = connection.execute("SELECT format FROM lake").fetchone()
        if row is None:
            raise EscudoError("LAK003", f"{path} is empty")
        if row[0] != FORMAT:
            raise EscudoError(
                "LAK004", f"{path.parent} has lake format {row[0]}; this Escudo reads {FORMAT}"
            )
        return ledger

    def head(self) -> Commit:
        """The last acknowledged commit; number 0 without tables in an empty lake."""
        with self._reading() as connection:
            return _head(connection)

    def list_commits(self, *, after: int = 0) -> list[Commit]:
        """The commits after a number, oldest first; ``versions`` is empty where no reader can
        have them any more."""
        with self._reading() as connection:
            query = f"{_COMMIT} WHERE id > ? ORDER BY id"
            return [_commit(row) for row in connection.execute(query, (after,))]

    def find_commit(self, number: int) -> Commit | None:
        """A commit by its number; None where there is none, or it is no longer pinned."""
        with self._reading() as connection:
            row = connection.execute(f"{_COMMIT} WHERE id = ?", (number,)).fetchone()
        return _commit(row) if row is not None and row[3] else None

    def find(self, identity: Identity) -> IngestedFile | None:
        """When a file of this content came in first, if it did."""
        with self._reading() as connection:
            return _find(connection, identity)

    def has_size(self, size: int) -> bool:
        """Whether some ingested file has this size: the cheap check before hashing."""
        with self._reading() as connection:
            query = "SELECT 1 FROM files WHERE size = ? LIMIT 1"
            return connection.execute(query, (size,)).fetchone() is not None

    def files(self) -> list[IngestedFile]:
        """All ingested files in the order they came in."""
        with self._reading() as connection:
            return [_file(row) for row in connection.execute(f"{_FILE} ORDER BY id")]

    def marks(self, prefix: str = "") -> dict[str, str]:
        """The marks whose names begin so, by their names (``Mark``)."""
        with self._reading() as connection:
            if not self._has(connection, "marks"):
                return {}
            query = "SELECT name, value FROM marks WHERE substr(name, 1, ?) = ?"
            return dict(connection.execute(query, (len(prefix), prefix)).fetchall())

    def move_mark(self, mark: Mark) -> None:
        """Moves one mark on, beside any commit: LAK020 as in ``LedgerTransaction.set_marks``."""
        with self.exclusive() as transaction:
            transaction.set_marks([mark])

    def allocate(self, count: int) -> range:
        """A range of event ids that no other caller gets."""
        with self._writing_ids() as connection:
            (end,) = connection.execute(
                "UPDATE lake SET next_event_id = next_event_id + ? RETURNING next_event_id",
                (count,),
            ).fetchone()
        return range(end - count, end)

    def intact_files(self) -> set[str]:
        """The notes of data files that were found intact (``digests``)."""
        with self._reading() as connection:
            if not self._has(connection, "intact"):
                return set()
            return {note for (note,) in connection.execute("SELECT note FROM intact")}

    def dropped(self) -> dict[str, int]:
        """Events of each log (its path) that were taken out of the lake on purpose."""
        with self._reading() as connection:
            if not self._has(connection, "dropped"):
                return {}
            return dict(connection.execute("SELECT path, events FROM dropped").fetchall())

    def note_intact(self, notes: Iterable[str]) -> None:
        """Adds notes of intact data files.

        They save a reader time and no more, so they are left out while another process writes,
        and where nothing may be written.
        """
        where = f"{self.path.resolve().as_uri()}?mode=rw"
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(where, uri=True, timeout=0, isolation_level=None)) as opened,
        ):
            opened.execute("BEGIN IMMEDIATE")
            with opened:
                opened.execute(_LATER_TABLES["intact"])
                opened.executemany(
                    "INSERT OR IGNORE INTO intact VALUES (?)", [(note,) for note in notes]
                )

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        """Holds the write lock; commits at the end of the block, rolls back on an exception."""
        with self._writing() as connection:
            transaction = LedgerTransaction(connection, self)
            yield transaction
        for commit in transaction.recorded:
            log_event("commit", lake=self.lake, number=commit.id, kind=commit.kind)

    def _has(self, connection: Connection, table: str) -> bool:
        """Whether a table is there; some are made when something is to be put there."""
        query = "SELECT 1 FROM sqlite_master WHERE name = ?"
        return connection.execute(query, (table,)).fetchone() is not None

    def _provide(self, connection: Connection, table: str) -> None:
        """Makes a table that may not be there yet."""
        connection.execute(_LATER_TABLES[table])

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def _writing_ids(self) -> Iterator[Connection]:
        """A transaction that gives out event ids."""
        with self._writing() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        """A connection of its own: any thread may ask, and what is asked for is little."""
        try:
            # Without an isolation level the driver begins no transactions of its own accord.
            opened = sqlite3.connect(self.path, timeout=LOCK_SECONDS, isolation_level=None)
            with closing(opened) as connection:
                connection.execute(begin)
                with connection:
                    yield connection
        except sqlite3.Error as error:
            raise _failure(self.path, error) from error


def _head(connection: Connection) -> Commit:
    row = connection.execute(f"{_COMMIT} ORDER BY id DESC LIMIT 1").fetchone()
    return Commit(0, 0.0, "empty", {}) if row is None else _commit(row)


def _commit(row: tuple[int, float, str, str]) -> Commit:
    number, committed, kind, versions = row
    try:
        pinned = {str(t): int(v) for t, v in json.loads(versions or "{}").items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise EscudoError("LAK003", f"commit {number} of the ledger is damaged") from error
    return Commit(number, committed, kind, pinned)


def _find(connection: Connection, identity: Identity) -> IngestedFile | None:
    query = f"{_FILE} WHERE size = ? AND blake3 = ? ORDER BY id LIMIT 1"
    row = connection.execute(query, (identity.size, identity.blake3)).fetchone()
    return None if row is None else _file(row)


def _file(row: tuple[int, str, str, int, int, float]) -> IngestedFile:
    size, blake3, path, events, rejected, ingested = row
    return IngestedFile(Identity(size, blake3), path, events, rejected, ingested)


def _failure(path: Path, error: sqlite3.Error) -> EscudoError:
    text = str(error)
    if "locked" in text:
        return EscudoError("LAK007", f"{path.parent} was locked for {LOCK_SECONDS:.0f} seconds")
    if any(cause in text for cause in ("readonly", "full", "unable to open", "I/O", "permission")):
        return EscudoError("LAK013", f"{path}: {text}")
    return EscudoError("LAK003", f"{path} cannot be read: {text}")
