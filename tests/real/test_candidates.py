"""Over real logs and all content: a detection finds in its candidates what it finds in all."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect import candidates, run_detections
from escudo.detect.candidates import gather_candidates
from escudo.detect.running import Match, run_detection
from escudo.detect.screening import Screener
from tests.real.conftest import LakeOf
from tests.shared_data import needs_shared
from tests.shared_engine import engine_over

pytestmark = [needs_shared, pytest.mark.slow]

NOW = 1_795_000_000.0
PARTS = 4
"""The detections are dealt out, so that several processes can share them."""


def _describe(match: Match) -> object:
    rows = match.rows.append_column("_event_ids", match.event_ids)
    return match.detection.name, rows.to_pylist(), match.diagnostics


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("folder", ["evtx", "otrf"])
def test_candidates_give_what_all_events_give(
    folder: str,
    part: int,
    lake_of: LakeOf,
    upstream: content.Content,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(candidates, "LEAST_BYTES", 0)
    monkeypatch.setattr(candidates, "FEWEST", 1)
    snapshot = lake_of(folder).snapshot()
    engine = engine_over(snapshot)
    chosen = [d for d in upstream.detections if d.enabled and d.type != "Correlation"][part::PARTS]
    knowledge = upstream.knowledge
    screened = Screener().screen(chosen, snapshot, engine, knowledge, within=ALL_TIME, now=NOW)
    gathered = gather_candidates(
        chosen, screened, snapshot, engine, within=ALL_TIME, make_folder=lambda: str(tmp_path)
    )
    assert gathered is not None
    some = [d for d in chosen if d.id in gathered.reads]
    assert len(some) > 10
    for detection in some:
        among, alone = (
            run_detection(
                detection,
                snapshot,
                engine,
                knowledge,
                within=ALL_TIME,
                now=NOW,
                candidates=given,
            )
            for given in (gathered, None)
        )
        assert _describe(among) == _describe(alone)


def test_a_hunt_reads_candidates(
    lake_of: LakeOf, upstream: content.Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All together, as a hunt does: the same rows whether tables count as large or not."""
    snapshot = lake_of("evtx").snapshot()
    chosen = [d for d in upstream.detections if d.type != "Correlation"][::3]

    def hunt(least: int) -> list[object]:
        monkeypatch.setattr(candidates, "LEAST_BYTES", least)
        found = run_detections(
            chosen,
            snapshot,
            engine_over(snapshot),
            upstream.knowledge,
            within=ALL_TIME,
            now=NOW,
            screener=Screener(),
        )
        return [_describe(match) for match in found]

    assert hunt(0) == hunt(1 << 60)
