"""Every case on DuckDB, with its events laid out in three ways.

``test_spark.py`` runs the same cases on Spark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from escudo.engines.duckdb import DuckDBEngine, connect
from tests.conformance.cases import Case, all_cases
from tests.conformance.catalog import RowsCatalog
from tests.conformance.engines import problem


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(threads=2) as opened:
        yield opened


@pytest.mark.parametrize("case", all_cases(), ids=lambda c: c.id)
def test_duckdb(case: Case, connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    engine = DuckDBEngine(RowsCatalog(tmp_path), connection)
    assert problem(case, engine, tmp_path) is None


def _fits_a_rest_map(case: Case) -> bool:
    """Whether its events have fields of one value only; a rest map holds text."""
    values = [v for row in case.rows for v in row.values()]
    return bool(values) and not any(isinstance(v, list) for v in values)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in all_cases() if c.spl and _fits_a_rest_map(c)], ids=lambda c: c.id
)
def test_fields_without_columns(
    case: Case, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    engine = DuckDBEngine(RowsCatalog(tmp_path), connection)
    unordered = replace(case, columns=None)
    assert problem(unordered, engine, tmp_path, layout="rest") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in all_cases() if c.spl and len(c.rows) > 1], ids=lambda c: c.id
)
def test_events_in_two_tables(
    case: Case, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    engine = DuckDBEngine(RowsCatalog(tmp_path), connection)
    unordered = replace(case, columns=None)
    assert problem(unordered, engine, tmp_path, layout="other") is None
