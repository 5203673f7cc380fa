"""Upstream's detections, synthesised: a sample of them, or all where the environment asks.

``ESCUDO_SYNTHESISE_ALL=1`` runs all of them (some seven minutes of processor time).
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


_LEAST = {"endpoint": (0.93, 0.9), "cloud": (0.78, 0.75), "web": (0.85, 0.8)}
"""The share that has to fire of what a folder holds, and of the sample. Of those of clouds one in
ten needs what no event has: rows in a collection that a baseline fills, metrics, the place of an
address."""


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize("folder", _LEAST)
def test_most_detections_fire_and_no_near_miss_does(folder: str) -> None:
    assert SHARED is not None
    content = load([SHARED / "security_content_5"])
    every = [
        d
        for d in content.detections
        if Path(d.origin.file).parent.name == folder and d.status != "deprecated"
    ]
    chosen = every[:: _STEP if folder == "endpoint" else max(_STEP // 6, 1)]
    report = synthesise_detections(chosen, content, load_tables(), engine_of=DuckDBEngines())
    counts = report.summarise()
    assert counts["near_misses_fired"] == 0, counts["failed"]
    assert counts["near_misses"] > counts["fired"]
    of_all, of_sample = _LEAST[folder]
    least = of_all if _STEP == 1 else of_sample
    assert counts["fired"] >= least * len(chosen), counts["failed"]
    assert all(failure["reason"] for failure in counts["failed"])
