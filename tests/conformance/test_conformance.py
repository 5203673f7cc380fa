"""Every case on DuckDB; ``test_spark.py`` runs the same cases on Spark."""

from __future__ import annotations

from collections.abc import Iterator
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
