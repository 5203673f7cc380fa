"""The ledger: what is acknowledged. One row a commit pins the versions of all tables together.

It is an SQLite file. Its write transaction (``BEGIN IMMEDIATE``) is at the same time the lock
between writers: it is held while the Delta tables are committed, and the operating system frees
it when a process dies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from escudo.core.errors import EscudoError
from escudo.lake.identity import Identity

FORMAT = 1
LOCK_SECONDS = 300.0

_METADATA = sa.MetaData()

_LAKE = sa.Table(
    "lake",
    _METADATA,
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("next_event_id", sa.BigInteger, nullable=False),
)

_COMMITS = sa.Table(
    "commits",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("committed", sa.Float, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("versions", sa.Text, nullable=False),
)

_FILES = sa.Table(
    "files",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False, index=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("events", sa.BigInteger, nullable=False),
    sa.Column("rejected", sa.BigInteger, nullable=False),
    sa.Column("commit_id", sa.ForeignKey("commits.id"), nullable=False),
    sa.Column("ingested", sa.Float, nullable=False),
)


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


class LedgerTransaction:
    """The held write lock. What it records becomes visible when its ``with`` block ends well."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self) -> Commit:
        return _head(self._connection)

    def known(self, identities: Iterable[Identity]) -> list[IngestedFile]:
        """Those of the files that some commit already holds, the first time each came in."""
        return [found for i in identities if (found := _find(self._connection, i)) is not None]

    def record(
        self,
        kind: str,
        versions: Mapping[str, int],
        files: Iterable[IngestedFile] = (),
    ) -> Commit:
        """Adds the row that acknowledges a commit, and the files that came in with it."""
        now = time.time()
        text = json.dumps(dict(versions), sort_keys=True)
        added = self._connection.execute(
            _COMMITS.insert().values(committed=now, kind=kind, versions=text)
        )
        key = added.inserted_primary_key
        assert key is not None
        number = int(key[0])
        rows = [
            {
                "size": f.identity.size,
                "sha256": f.identity.sha256,
                "path": f.path,
                "events": f.events,
                "rejected": f.rejected,
                "commit_id": number,
                "ingested": f.ingested,
            }
            for f in files
        ]
        if rows:
            self._connection.execute(_FILES.insert(), rows)
        return Commit(number, now, kind, dict(versions))

    def unpin(self, before: float) -> None:
        """Forgets the versions of states that had been followed by another before a time."""
        last = (
            sa.select(sa.func.max(_COMMITS.c.id))
            .where(_COMMITS.c.committed < before)
            .scalar_subquery()
        )
        self._connection.execute(_COMMITS.update().where(_COMMITS.c.id < last).values(versions=""))

    def pinned(self) -> list[Commit]:
        """The commits whose versions readers may still have open, oldest first."""
        rows = self._connection.execute(
            sa.select(_COMMITS).where(_COMMITS.c.versions != "").order_by(_COMMITS.c.id)
        )
        return [_commit(row) for row in rows]


class Ledger:
    """The SQLite file of a lake."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = sa.create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False},
        )
        sa.event.listen(self._engine, "connect", _no_implicit_transactions)
        sa.event.listen(self._engine, "begin", _begin)

    @classmethod
    def create(cls, path: Path) -> Ledger:
        """Opens the ledger at a path and makes its tables if another process has not."""
        ledger = cls(path)
        with ledger._writing() as connection:
            _METADATA.create_all(connection)
            if connection.execute(sa.select(_LAKE.c.format)).first() is None:
                connection.execute(
                    _LAKE.insert().values(format=FORMAT, created=time.time(), next_event_id=1)
                )
        return ledger

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Opens an existing ledger: LAK003 if it cannot be read, LAK004 if it is newer."""
        ledger = cls(path)
        try:
            with ledger._reading() as connection:
                number = connection.execute(sa.select(_LAKE.c.format)).scalar_one_or_none()
        except OperationalError as error:
            raise _failure(path, error) from error
        if number is None:
            raise EscudoError("LAK003", f"{path} is empty")
        if number > FORMAT:
            raise EscudoError(
                "LAK004", f"{path.parent} has lake format {number}; this Escudo reads {FORMAT}"
            )
        return ledger

    def close(self) -> None:
        self._engine.dispose()

    def head(self) -> Commit:
        """The last acknowledged commit; number 0 without tables in an empty lake."""
        with self._reading() as connection:
            return _head(connection)

    def find(self, identity: Identity) -> IngestedFile | None:
        """When a file of this content came in first, if it did."""
        with self._reading() as connection:
            return _find(connection, identity)

    def has_size(self, size: int) -> bool:
        """Whether some ingested file has this size: the cheap check before hashing."""
        with self._reading() as connection:
            query = sa.select(_FILES.c.id).where(_FILES.c.size == size).limit(1)
            return connection.execute(query).first() is not None

    def files(self) -> list[IngestedFile]:
        """All ingested files in the order they came in."""
        with self._reading() as connection:
            return [_file(row) for row in connection.execute(sa.select(_FILES).order_by("id"))]

    def allocate(self, count: int) -> range:
        """A range of event ids that no other caller gets."""
        with self._writing() as connection:
            end = connection.execute(
                _LAKE.update()
                .values(next_event_id=_LAKE.c.next_event_id + count)
                .returning(_LAKE.c.next_event_id)
            ).scalar_one()
        return range(end - count, end)

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        """Holds the write lock; commits at the end of the block, rolls back on an exception."""
        with self._writing() as connection:
            yield LedgerTransaction(connection)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise _failure(self.path, error) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            connection = self._engine.connect().execution_options(escudo_write=True)
            with connection, connection.begin():
                yield connection
        except DatabaseError as error:
            raise _failure(self.path, error) from error


def _no_implicit_transactions(connection: object, _record: object) -> None:
    # SQLAlchemy manual, SQLite dialect: the driver's own BEGIN comes too late for a lock.
    connection.isolation_level = None  # type: ignore[attr-defined]


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("escudo_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _head(connection: Connection) -> Commit:
    row = connection.execute(sa.select(_COMMITS).order_by(_COMMITS.c.id.desc()).limit(1)).first()
    return Commit(0, 0.0, "empty", {}) if row is None else _commit(row)


def _commit(row: sa.Row[tuple[object, ...]]) -> Commit:
    return Commit(row.id, row.committed, row.kind, json.loads(row.versions))


def _find(connection: Connection, identity: Identity) -> IngestedFile | None:
    query = (
        sa.select(_FILES)
        .where(_FILES.c.size == identity.size, _FILES.c.sha256 == identity.sha256)
        .order_by(_FILES.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else _file(row)


def _file(row: sa.Row[tuple[object, ...]]) -> IngestedFile:
    return IngestedFile(
        Identity(row.size, row.sha256), row.path, row.events, row.rejected, row.ingested
    )


def _failure(path: Path, error: DatabaseError) -> EscudoError:
    text = str(error.orig)
    if "locked" in text:
        return EscudoError("LAK007", f"{path.parent} was locked for {LOCK_SECONDS:.0f} seconds")
    if any(cause in text for cause in ("readonly", "full", "unable to open", "I/O")):
        return EscudoError("LAK013", f"{path}: {text}")
    return EscudoError("LAK003", f"{path} cannot be read: {text}")
