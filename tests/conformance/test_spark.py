"""Every case on Spark, where Java is, a file at a time. Gaps are strict: what Spark cannot do must
fail. The environment's ``ESCUDO_TEST_MASTER`` names another place than this process, such as
``sc://host:15002``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from escudo.engines.execute import Engine
from escudo.engines.spark.available import explain_unavailable
from escudo.engines.spark.place import LOCAL, SparkPlace
from tests.conformance.cases import Case, all_cases, list_files
from tests.conformance.catalog import RowsCatalog
from tests.conformance.conftest import Choose
from tests.conformance.engines import problem, problems_of

pytestmark = [pytest.mark.spark, pytest.mark.slow]

_PLACE = SparkPlace(os.environ.get("ESCUDO_TEST_MASTER", LOCAL))
_REASON = explain_unavailable(remote=_PLACE.is_remote)
_GAPS = [c for c in all_cases() if c.spark is not None]
_CASES = [c for c in all_cases() if c.error is None and c.spark is None]
"""Errors are the same on all engines: they come before one is asked."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    if _REASON is not None:
        pytest.skip(_REASON)
    module = pytest.importorskip("escudo.engines.spark.spark_engine")
    session = pytest.importorskip("escudo.engines.spark.session").open_session(_PLACE)
    made: Engine = module.SparkEngine(RowsCatalog(tmp_path_factory.mktemp("spark")), session)
    return made


@pytest.mark.parametrize("file", list_files(_CASES))
def test_spark(file: str, engine: Engine, tmp_path: Path, choose: Choose) -> None:
    assert problems_of(choose(file, _CASES), engine, tmp_path) == []


@pytest.mark.parametrize("case", _GAPS, ids=lambda c: c.id)
def test_gap(case: Case, engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert case.spark is not None
    request.applymarker(pytest.mark.xfail(strict=True, reason=case.spark))
    assert problem(case, engine, tmp_path) is None
