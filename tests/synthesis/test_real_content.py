"""Upstream's endpoint detections, synthesised: a sample of them, or all where the environment asks.

``ESCUDO_SYNTHESISE_ALL=1`` runs all 826 (some eight minutes of processor time).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from escudo.actions.engines import DuckDBEngines
from escudo.actions.synthesise import synthesise_detections
from escudo.content import load
from escudo.lake.tables import load_tables
from tests.shared_data import SHARED, needs_shared

_STEP = 1 if os.environ.get("ESCUDO_SYNTHESISE_ALL") else 60


@pytest.mark.slow
@needs_shared
def test_nine_of_ten_endpoint_detections_fire_and_no_near_miss_does() -> None:
    assert SHARED is not None
    content = load([SHARED / "security_content_5"])
    endpoint = [d for d in content.detections if Path(d.origin.file).parent.name == "endpoint"]
    chosen = endpoint[::_STEP]
    report = synthesise_detections(chosen, content, load_tables(), engine_of=DuckDBEngines())
    counts = report.summarise()
    assert counts["near_misses_fired"] == 0, counts["failed"]
    assert counts["near_misses"] > counts["fired"]
    assert counts["fired"] >= 0.9 * len(chosen), counts["failed"]
    assert all(failure["reason"] for failure in counts["failed"])
