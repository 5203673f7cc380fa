"""The ledger of a lake that several machines share: a PostgreSQL database; ``store`` opens it.

The lock between writers is an advisory lock of its transaction: the server frees it when the
connection ends, also that of a machine that is gone. A writer that was cut off from the server and
goes on can write to no table that another one has written to meanwhile (``delta``), and its own
transaction fails.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from escudo.core.errors import EscudoError
from escudo.core.event_log import log_event
from escudo.core.migrating import migrate
from escudo.lake.ledger import FORMAT, LOCK_SECONDS, Commit, Connection, Ledger, LedgerTransaction

HEAD = "0001"
"""The version of the tables; ``migrations`` has a script of that name."""

_LOCK = 0x0E5C0D1
"""The key of the advisory lock between writers; that of a schedule's state is another one."""
_SETTINGS = {
    "lock_timeout": f"{LOCK_SECONDS:.0f}s",
    # A machine that is gone, or a process that was stopped, must not hold the lock for ever.
    "idle_in_transaction_session_timeout": "600s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_LOCKED = "55P03"
"""PostgreSQL's code where a lock was not had in time."""
_UNAVAILABLE = ("08", "53", "57")
"""Classes of PostgreSQL's codes where the server cannot work now."""


class SharedLedger(Ledger):
    """A ledger by URL (``postgresql://user@host/name``). Close it when it is not needed."""

    def __init__(self, url: str) -> None:
        super().__init__(Path())
        self._url = _read_url(url)
        try:
            self._engine = sa.create_engine(
                self._url,
                pool_pre_ping=True,
                connect_args={
                    "options": " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
                    "connect_timeout": 10,
                },
            )
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise EscudoError("LAK032", f"{self.name}: {error}") from error

    @classmethod
    def connect(cls, url: str) -> SharedLedger:
        """Opens a ledger, and brings its tables up to date.

        Raises:
            EscudoError: LAK031 where the database does not answer, LAK004 where its tables are of
                another version, LAK032 where the driver is missing, LAK033 for what is no URL.
        """
        ledger = cls(url)
        try:
            ledger._migrate()
        except (SQLAlchemyError, OSError) as error:
            ledger.close()
            raise ledger._explain(error) from error
        except EscudoError:
            ledger.close()
            raise
        return ledger

    def __reduce__(self) -> tuple[type[SharedLedger], tuple[str]]:
        return SharedLedger, (self.place,)

    @property
    def place(self) -> str:
        return self._url.render_as_string(hide_password=False)

    @property
    def name(self) -> str:
        """Without the password."""
        return self._url.set(drivername="postgresql").render_as_string(hide_password=True)

    @property
    def lake(self) -> str:
        return self.name

    def close(self) -> None:
        self._engine.dispose()

    def note_intact(self, notes: Iterable[str]) -> None:
        """Nothing: what lies in a bucket is not read whole to be checked."""

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        """Holds the write lock; commits at the end of the block, rolls back on an exception.

        Where the connection is lost while the server commits, it is asked whether it has.
        """
        try:
            with self._connected() as connection:
                transaction = LedgerTransaction(_lock(connection), self)
                yield transaction
                try:
                    connection.commit()
                except DBAPIError:
                    if not self._has_recorded(transaction.recorded):
                        raise
        except DBAPIError as error:
            raise self._explain(error) from error
        for commit in transaction.recorded:
            log_event("commit", lake=self.lake, number=commit.id, kind=commit.kind)

    def _has_recorded(self, commits: Sequence[Commit]) -> bool:
        """Whether commits are there; their numbers are given once."""
        return bool(commits) and all(
            (commit := self.find_commit(c.id)) is not None and commit.committed == c.committed
            for c in commits
        )

    def _has(self, connection: Connection, table: str) -> bool:
        return table != "intact"

    def _provide(self, connection: Connection, table: str) -> None:
        """Nothing: ``migrations`` has made them all."""

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._connected() as connection:
                yield _Statements(connection)
        except DBAPIError as error:
            raise self._explain(error) from error

    @contextmanager
    def _writing_ids(self) -> Iterator[Connection]:
        """Ids are given out while another writer commits."""
        try:
            with self._engine.begin() as connection:
                yield _Statements(connection)
        except DBAPIError as error:
            raise self._explain(error) from error

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """A connection whose transaction is rolled back unless it is committed."""
        with self._engine.connect() as connection:
            yield connection

    def _migrate(self) -> None:
        with self._engine.begin() as connection:
            statements = _lock(connection)
            unknown = migrate(
                connection, scripts="escudo.lake:migrations", head=HEAD, note="ledger_version"
            )
            if unknown is not None:
                message = f"{self.name} has version {unknown}; this Escudo knows those up to {HEAD}"
                raise EscudoError("LAK004", message)
            row = statements.execute("SELECT format FROM lake").fetchone()
            if row is None:
                statements.execute("INSERT INTO lake VALUES (?, ?, 1)", (FORMAT, time.time()))
            elif row[0] != FORMAT:
                message = f"{self.name} has lake format {row[0]}; this Escudo reads {FORMAT}"
                raise EscudoError("LAK004", message)

    def _explain(self, error: Exception) -> EscudoError:
        cause = getattr(error, "orig", None) or error
        code = getattr(cause, "sqlstate", None) or ""
        if code == _LOCKED:
            return EscudoError("LAK007", f"{self.name} was locked for {LOCK_SECONDS:.0f} seconds")
        first = str(cause).strip().partition("\n")[0]
        if code and not code.startswith(_UNAVAILABLE):
            return EscudoError("LAK003", f"{self.name}: {first}")
        return EscudoError("LAK031", f"{self.name}: {first}")


class _Statements:
    """A connection of SQLAlchemy with the parameters that ``Ledger`` writes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
        return self._connection.exec_driver_sql(sql.replace("?", "%s"), tuple(parameters))

    def executemany(self, sql: str, parameters: Sequence[Sequence[Any]], /) -> Any:
        if parameters:
            rows = [tuple(row) for row in parameters]
            self._connection.exec_driver_sql(sql.replace("?", "%s"), rows)
        return None


def _lock(connection: sa.Connection) -> _Statements:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    return _Statements(connection)


def _read_url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise EscudoError("LAK033", "the ledger's URL cannot be read") from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise EscudoError("LAK033", f"{url.drivername}:// is no ledger")
    return url.set(drivername="postgresql+psycopg")
