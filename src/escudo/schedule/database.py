"""A URL -> the state of a schedule: a database whose tables are up to date; who opens one calls it.

SQLite is one file beside the lake's. Its transactions take turns from their first statement on; in
PostgreSQL those that must not overlap hold an advisory lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from escudo.core.errors import EscudoError
from escudo.core.migrating import migrate

FILE = "schedule.sqlite"
"""The name of the state in a lake's folder."""

HEAD = "0002"
"""The version of the tables; ``migrations`` has a script of that name."""

BUSY_SECONDS = 60
"""Seconds that a transaction waits for another one."""

_READS = "escudo_reads"
"""The option of a connection that only reads."""

_LOCK = 0x0E5C0D0
"""The key of the advisory lock; any number that no other program takes."""


class State:
    """An open state. Close it, or use it in a ``with`` block.

    >>> with State.open("sqlite://") as state, state.begin() as connection:
    ...     connection.exec_driver_sql("SELECT count(*) FROM windows").scalar()
    0
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, place: str | Path) -> State:
        """Opens a state, and brings its tables up to date.

        Args:
            place: the path of an SQLite file, which is made if it is not there, or a database URL
                (``postgresql://user@host/name``).

        Raises:
            EscudoError: SCH001 where it cannot be opened, SCH002 where it is of a newer version,
                SCH003 where the driver is missing.
        """
        url = _find_url(place)
        try:
            engine = _make_engine(url)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise EscudoError("SCH003", f"{url.drivername}: {error}") from error
        state = cls(engine)
        try:
            state._migrate()
        except (SQLAlchemyError, ValueError, OSError) as error:
            engine.dispose()
            raise _explain(url, error) from error
        except EscudoError:
            engine.dispose()
            raise
        return state

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def begin(self, *, alone: bool = False) -> Iterator[sa.Connection]:
        """A transaction: committed at the end of the block, rolled back on an exception.

        Args:
            alone: no other such transaction runs at the same time.

        Raises:
            EscudoError: SCH001 where the database fails, SCH009 for a text that is none.
        """
        try:
            with self.engine.begin() as connection:
                if alone:
                    self._lock(connection)
                yield connection
        except DBAPIError as error:
            raise _explain(self.engine.url, error) from error
        except UnicodeEncodeError as error:
            raise EscudoError("SCH009", f"{error.object!r} is no text") from error

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads: it sees one state, and nobody waits for it.

        Raises:
            EscudoError: SCH001 where the database fails, SCH009 for a text that is none.
        """
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(**{_READS: True})
        except DBAPIError as error:
            raise _explain(self.engine.url, error) from error
        except UnicodeEncodeError as error:
            raise EscudoError("SCH009", f"{error.object!r} is no text") from error

    def _lock(self, connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    def _migrate(self) -> None:
        with self.engine.begin() as connection:
            self._lock(connection)
            unknown = migrate(
                connection, scripts="escudo.schedule:migrations", head=HEAD, note="alembic_version"
            )
            if unknown is not None:
                name = _tell_name(self.engine.url)
                message = f"{name} has version {unknown}; this Escudo knows those up to {HEAD}"
                raise EscudoError("SCH002", message)


def _find_url(place: str | Path) -> sa.URL:
    text = str(place)
    if "://" not in text:
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise EscudoError("SCH001", f"{text!r} is no URL of a database") from error
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _make_engine(url: sa.URL) -> sa.Engine:
    if not url.drivername.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Leaves the beginning of transactions to us; a commit is on the disk when it returns."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _explain(url: sa.URL, error: Exception) -> EscudoError:
    cause = getattr(error, "orig", None) or error
    name = _tell_name(url)
    return EscudoError("SCH001", f"{name}: {str(cause).strip()}")


def _tell_name(url: sa.URL) -> str:
    """What a message calls a state; passwords are not told."""
    if url.drivername.startswith("sqlite"):
        return str(url.database)
    return url.render_as_string(hide_password=True)
