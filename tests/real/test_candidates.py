"""Over real logs and all content: a detection finds in its candidates what it finds in all, also
where Spark gathers them and DuckDB reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from escudo import content
from escudo.actions.engines import SparkEngines
from escudo.core.timerange import ALL_TIME
from escudo.detect import candidates, run_detections
from escudo.detect.candidates import gather_candidates
from escudo.detect.running import Match, run_detection
from escudo.detect.screening import Screener
from escudo.engines.duckdb import DuckDBEngine
from escudo.engines.execute import Engine
from escudo.lake import Snapshot
from escudo.storage import find_size
from tests.needs_spark import needs_spark
from tests.real.conftest import LakeOf
from tests.shared_data import needs_shared
from tests.shared_engine import engine_over, open_connection

pytestmark = [needs_shared, pytest.mark.slow]

NOW = 1_795_000_000.0
PARTS = 4
"""The detections are dealt out, so that several processes can share them."""


def _describe(match: Match) -> object:
    rows = match.rows.append_column("_event_ids", match.event_ids)
    return match.detection.name, rows.to_pylist(), match.diagnostics


def _make_duckdb(snapshot: Snapshot) -> Engine:
    return engine_over(snapshot)


def _make_spark(snapshot: Snapshot) -> Engine:
    return SparkEngines()(snapshot)


@pytest.mark.parametrize(
    ("gather", "folder", "part"),
    [
        *((_make_duckdb, folder, part) for folder in ("evtx", "otrf") for part in range(PARTS)),
        *(pytest.param(_make_spark, f, 0, marks=needs_spark) for f in ("evtx", "otrf")),
    ],
)
def test_candidates_give_what_all_events_give(
    gather: Callable[[Snapshot], Engine],
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
    engine, gathering = engine_over(snapshot), gather(snapshot)
    chosen = [d for d in upstream.detections if d.enabled and d.type != "Correlation"][part::PARTS]
    knowledge = upstream.knowledge
    screened = Screener().screen(chosen, snapshot, gathering, knowledge, within=ALL_TIME, now=NOW)
    gathered = gather_candidates(
        chosen, screened, snapshot, gathering, within=ALL_TIME, make_folder=lambda: str(tmp_path)
    )
    assert gathered is not None
    assert gathered.narrow.name == engine.name
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


class _Elsewhere(DuckDBEngine):
    """Reads tables as if other machines did."""

    @property
    def is_spread(self) -> bool:
        return True


def test_what_reads_no_large_table_runs_in_this_process(
    lake_of: LakeOf, upstream: content.Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where other machines read the tables, and one of these is large: of the detections that read
    it those run here whose candidates are few, and all that read others alone."""
    snapshot = lake_of("evtx").snapshot()
    sizes = {
        name: sum(map(find_size, snapshot.files(name, ALL_TIME))) for name in snapshot.tables()
    }
    largest = max(sizes, key=lambda name: sizes[name])
    monkeypatch.setattr(candidates, "LEAST_BYTES", sizes[largest])
    monkeypatch.setattr(candidates, "FEWEST", 1)
    chosen = [d for d in upstream.detections if d.enabled and d.type != "Correlation"][::3]
    engine = _Elsewhere(snapshot, open_connection())
    knowledge = upstream.knowledge
    screened = Screener().screen(chosen, snapshot, engine, knowledge, within=ALL_TIME, now=NOW)
    gathered = gather_candidates(
        chosen, screened, snapshot, engine, within=ALL_TIME, make_folder=lambda: str(tmp_path)
    )
    assert gathered is not None
    assert not gathered.narrow.is_spread
    assert [file.stem for file in tmp_path.iterdir()] == [largest]
    reads = {
        d.id: screen.reads
        for d, screen, out in zip(chosen, screened.screens, screened.ruled_out, strict=True)
        if out is None
    }
    small = {number for number, tables in reads.items() if tables and largest not in tables}
    assert len(small) > 10
    assert small < gathered.reads.keys() < reads.keys()


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
