"""Over all real logs and all content: a detection that a hunt leaves out finds nothing alone."""

from __future__ import annotations

import pytest

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect import run_detections
from escudo.detect.screening import Screener
from tests.real.conftest import LakeOf
from tests.shared_data import needs_shared
from tests.shared_engine import engine_over

pytestmark = [needs_shared, pytest.mark.slow]

NOW = 1_795_000_000.0
PARTS = 4
"""The detections are dealt out, so that several processes can share them."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("folder", ["evtx", "otrf"])
def test_what_is_left_out_finds_nothing(
    folder: str, part: int, lake_of: LakeOf, upstream: content.Content
) -> None:
    snapshot = lake_of(folder).snapshot()
    engine = engine_over(snapshot)
    chosen = upstream.detections[part::PARTS]
    screened = Screener().screen(
        chosen, snapshot, engine, upstream.knowledge, within=ALL_TIME, now=NOW
    )
    left_out = [d for d, out in zip(chosen, screened.ruled_out, strict=True) if out is not None]
    assert len(left_out) > len(chosen) // 2
    found = run_detections(left_out, snapshot, engine, upstream.knowledge, within=ALL_TIME, now=NOW)
    assert [(m.detection.name, m.diagnostics) for m in found if m.rows.num_rows or m.failed] == []
