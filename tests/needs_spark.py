"""Marks of tests that run searches on Spark; where there is none, they are skipped and say why."""

from __future__ import annotations

import pytest

from escudo.engines.spark.available import explain_unavailable

_REASON = explain_unavailable()

needs_spark = (
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.skipif(_REASON is not None, reason=str(_REASON)),
)
