"""Every case on DuckDB, a file at a time, with its events laid out in three ways: the first as the
program runs a search over little data, the others as it does over much.

``test_spark.py`` runs the same cases on Spark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from escudo.actions.engines import DuckDBEngines
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Engine
from tests.conformance.cases import Case, all_cases, list_files
from tests.conformance.catalog import RowsCatalog
from tests.conformance.conftest import Choose
from tests.conformance.engines import find_missed, problems_of


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(threads=2) as opened:
        yield opened


@pytest.fixture
def engine(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Engine:
    return DuckDBEngine(RowsCatalog(tmp_path), connection)


@pytest.fixture(scope="module")
def engines() -> DuckDBEngines:
    return DuckDBEngines()


@pytest.fixture
def engine_for_little(engines: DuckDBEngines, tmp_path: Path) -> Engine:
    return engines(RowsCatalog(tmp_path))


@pytest.mark.parametrize("file", list_files(all_cases()))
def test_duckdb(file: str, engine_for_little: Engine, tmp_path: Path, choose: Choose) -> None:
    assert problems_of(choose(file, all_cases()), engine_for_little, tmp_path, screened=False) == []


_SEARCHES = [c for c in all_cases() if c.spl and c.error is None and c.zone == "UTC"]
"""A hunt is in UTC."""


@pytest.mark.slow
@pytest.mark.parametrize("file", list_files(_SEARCHES))
def test_a_hunt_runs_what_finds(file: str, engine: Engine, tmp_path: Path, choose: Choose) -> None:
    assert find_missed(choose(file, _SEARCHES), engine, tmp_path) == []


def _fits_a_rest_map(case: Case) -> bool:
    """Whether its events have fields of one value only; a rest map holds text."""
    values = [v for row in case.rows for v in row.values()]
    return bool(values) and not any(isinstance(v, list) for v in values)


_OF_TEXT = [replace(c, columns=None) for c in all_cases() if c.spl and _fits_a_rest_map(c)]
_OF_SEVERAL = [replace(c, columns=None) for c in all_cases() if c.spl and len(c.rows) > 1]
"""The order of the columns is not that of the layout ``columns``."""


@pytest.mark.slow
@pytest.mark.parametrize("file", list_files(_OF_TEXT))
def test_fields_without_columns(file: str, engine: Engine, tmp_path: Path, choose: Choose) -> None:
    assert problems_of(choose(file, _OF_TEXT), engine, tmp_path, layout="rest") == []


@pytest.mark.slow
@pytest.mark.parametrize("file", list_files(_OF_SEVERAL))
def test_events_in_two_tables(file: str, engine: Engine, tmp_path: Path, choose: Choose) -> None:
    assert problems_of(choose(file, _OF_SEVERAL), engine, tmp_path, layout="other") == []
