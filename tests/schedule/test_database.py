"""Opening a state: tables made once, newer ones refused, other databases told apart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from escudo.core.errors import EscudoError
from escudo.schedule.database import HEAD, State
from escudo.schedule.tables import METADATA
from escudo.serve.tables import METADATA as SERVER
from escudo.triage.tables import METADATA as TRIAGE


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "s.sqlite")
    return str(request.getfixturevalue("database"))


def test_migrations_make_the_tables_that_the_code_reads(place: str) -> None:
    with State.open(place) as state, state.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, [METADATA, TRIAGE, SERVER]) == []


def test_the_last_migration_is_the_one_that_opening_wants() -> None:
    config = Config()
    config.set_main_option("script_location", "escudo.schedule:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_newer_state_is_refused_and_left_alone(place: str) -> None:
    with State.open(place) as state, state.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(EscudoError) as caught:
        State.open(place)
    assert caught.value.code == "SCH002"
    engine = (
        sa.create_engine(place.replace("postgresql:", "postgresql+psycopg:"))
        if ("://" in place)
        else sa.create_engine(f"sqlite:///{place}")
    )
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    engine.dispose()
    assert found == "9999"


def test_many_may_open_a_new_state_at_once(place: str) -> None:
    def open_and_count(_number: int) -> int:
        with State.open(place) as state, state.begin() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM windows").scalar() or 0)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_and_count, range(4))) == [0] * 4


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "SCH001"),
        ("no such driver://x", "SCH001"),
        ("nosuch://x", "SCH003"),
        ("/nonexistent/folder/s.sqlite", "SCH001"),
    ],
)
def test_a_place_that_is_none_is_told(place: str, code: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(EscudoError) as caught:
        State.open(place)
    assert caught.value.code == code


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    file.write_text("this is a letter to my aunt, and no database at all" * 20)
    with pytest.raises(EscudoError) as caught:
        State.open(file)
    assert caught.value.code == "SCH001"


def test_a_password_is_not_told() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(EscudoError) as caught:
        State.open("postgresql://ann:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
