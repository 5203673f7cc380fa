"""Every case on Spark, where Java is, a file at a time. Gaps are strict: what Spark cannot do must
fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.engines.execute import Engine
from escudo.engines.spark.available import explain_unavailable
from tests.conformance.cases import Case, all_cases, list_files
from tests.conformance.catalog import RowsCatalog
from tests.conformance.conftest import Choose
from tests.conformance.engines import problem, problems_of

pytestmark = [pytest.mark.spark, pytest.mark.slow]

_REASON = explain_unavailable()
_GAPS = [c for c in all_cases() if c.spark is not None]
_CASES = [c for c in all_cases() if c.error is None and c.spark is None]
"""Errors are the same on all engines: they come before one is asked."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    if _REASON is not None:
        pytest.skip(_REASON)
    module = pytest.importorskip("escudo.engines.spark.spark_engine")
    return module.SparkEngine(RowsCatalog(tmp_path_factory.mktemp("spark")))


@pytest.mark.parametrize("file", list_files(_CASES))
def test_spark(file: str, engine: Engine, tmp_path: Path, choose: Choose) -> None:
    assert problems_of(choose(file, _CASES), engine, tmp_path) == []


@pytest.mark.parametrize("case", _GAPS, ids=lambda c: c.id)
def test_gap(case: Case, engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert case.spark is not None
    request.applymarker(pytest.mark.xfail(strict=True, reason=case.spark))
    assert problem(case, engine, tmp_path) is None
