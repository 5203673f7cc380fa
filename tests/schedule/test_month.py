"""A simulated stretch of time: each window once or a gap, each planted event found once.

The suite takes two days of 40 detections; ``ESCUDO_MONTH=30`` takes so many days of 1,500.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.schedule.month import Month
from tests.schedule.scene import play

pytestmark = pytest.mark.slow

LONG = int(os.environ.get("ESCUDO_MONTH", "0"))


def test_each_window_once_or_a_gap(tmp_path: Path) -> None:
    with play(tmp_path) as scene:
        figures = Month(scene, days=LONG or 3, detections=1500 if LONG else 20).play()
    assert figures.ran + figures.missed == figures.due
    assert figures.doubled == 0
    assert figures.missed > 0, "there was an outage"
    assert figures.reopened > 0, "data came late"
    assert figures.missed_after_backfill == 0
    assert figures.found_before_backfill < figures.found == figures.planted
    assert figures.memory_end < figures.memory_first_day * 1.3 + 100
