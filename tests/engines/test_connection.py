"""Connections: macros that are made when they are called, settings for little and for much data."""

from __future__ import annotations

import re

import duckdb
import pytest

from escudo.engines.duckdb.connection import Prelude, connect, load_prelude, suit_size


def _read(connection: duckdb.DuckDBPyConnection, setting: str) -> object:
    row = connection.execute(f"SELECT current_setting('{setting}')").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.slow
def test_each_macro_is_made_with_what_it_calls() -> None:
    for statement in load_prelude():
        name = re.findall(r"MACRO (\w+)\(", statement)[0]
        with connect(threads=1, macros=False) as connection:
            Prelude().provide(f"SELECT {name}(1)", connection)
            macros = connection.execute(
                "SELECT function_name FROM duckdb_functions() WHERE function_name = ?",
                [name.lower()],
            ).fetchall()
            assert macros, name


def test_a_cursor_has_what_another_one_made() -> None:
    with connect(threads=1, macros=False) as connection:
        prelude = Prelude()
        prelude.provide("SELECT spl_text(5.0)", connection.cursor())
        prelude.provide("SELECT spl_text(6.0)", connection.cursor())
        assert connection.cursor().execute("SELECT spl_text(6.0)").fetchone() == ("6",)


def test_what_is_not_provided_is_not_there() -> None:
    with connect(threads=1, macros=False) as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT spl_text(5.0)")


def test_settings_for_little_data_are_taken_back_for_much() -> None:
    with connect(threads=2) as connection:
        usual = _read(connection, "threads"), _read(connection, "disabled_optimizers")
        suit_size(connection, little=True)
        assert _read(connection, "threads") == 1
        assert "join_order" in str(_read(connection, "disabled_optimizers"))
        assert "filter_pushdown" not in str(_read(connection, "disabled_optimizers")).split(",")
        suit_size(connection, little=False)
        assert (_read(connection, "threads"), _read(connection, "disabled_optimizers")) == usual
