"""Every case on every engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.engines.duckdb import DuckDBEngine, connect
from tests.conformance.cases import Case, all_cases, differences, same
from tests.conformance.catalog import RowsCatalog
from tests.conformance.engines import evaluated, searched

CASES = all_cases()


@pytest.fixture(scope="module")
def connection():
    return connect(threads=2)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_duckdb(case: Case, connection, tmp_path: Path):
    catalog = RowsCatalog(tmp_path)
    engine = DuckDBEngine(catalog, connection)
    if case.error is not None:
        with pytest.raises(EscudoError) as caught:
            evaluated(case, engine) if case.eval else searched(case, engine, tmp_path)
        assert caught.value.code == case.error
    elif case.eval is not None:
        found = evaluated(case, engine)
        assert same(found, case.value, case.near), f"{found!r} instead of {case.value!r}"
    else:
        assert not differences(searched(case, engine, tmp_path), case)
