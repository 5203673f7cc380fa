"""The states that schedules are kept in, each a real one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.schedule.postgres import find_programs, serve
from tests.schedule.scene import Scene, play


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server, with nothing in it."""
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    if find_programs() is None:
        pytest.skip("no PostgreSQL on this machine: initdb and pg_ctl are not in PATH")
    with tempfile.TemporaryDirectory(prefix="escudo-pg-") as folder, serve(Path(folder)) as url:
        yield url


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URL of a PostgreSQL database, new for each test."""
    url = sa.make_url(postgres).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE scene")
    yield postgres.replace("/postgres", "/scene")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE scene WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene with an SQLite state."""
    with play(tmp_path) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def any_scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A scene with either state."""
    place = None if request.param == "sqlite" else request.getfixturevalue("database")
    with play(tmp_path, place) as made:
        yield made
