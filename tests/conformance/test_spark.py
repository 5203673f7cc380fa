"""Every case on Spark, where Java is. Gaps are strict: a case that Spark cannot do must fail.

The eval cases of a file are one query; the ones that cannot be part of it run alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.engines.execute import Engine
from escudo.engines.spark.available import explain_unavailable
from tests.conformance.cases import Case, all_cases
from tests.conformance.catalog import RowsCatalog
from tests.conformance.engines import problem, problems_of_batch

pytestmark = [pytest.mark.spark, pytest.mark.slow]

_REASON = explain_unavailable()
_CASES = all_cases()
_BATCHED = [c for c in _CASES if c.eval is not None and c.error is None and c.spark is None]
_ALONE = [c for c in _CASES if c.error is None and (c.eval is None or c.spark is not None)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    if _REASON is not None:
        pytest.skip(_REASON)
    module = pytest.importorskip("escudo.engines.spark.spark_engine")
    return module.SparkEngine(RowsCatalog(tmp_path_factory.mktemp("spark")))


@pytest.mark.parametrize("file", sorted({c.file for c in _BATCHED}))
def test_eval(file: str, engine: Engine, tmp_path: Path) -> None:
    cases = [c for c in _BATCHED if c.file == file]
    assert problems_of_batch(cases, engine, tmp_path) == []


@pytest.mark.parametrize("case", _ALONE, ids=lambda c: c.id)
def test_search(case: Case, engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if case.spark is not None:
        request.applymarker(pytest.mark.xfail(strict=True, reason=case.spark))
    assert problem(case, engine, tmp_path) is None
