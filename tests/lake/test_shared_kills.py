"""Processes with caches of their own that write to one shared lake, are killed, and meet a storage
that fails: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake, ingest
from escudo.lake.maintenance import compact
from escudo.lake.place import SharedLake
from escudo.lake.snapshot import Snapshot
from escudo.lake.verify import verify
from escudo.storage import open_file
from tests.lake.logs import write_logs
from tests.storage.proxy import Faults, stand_before_apart

EVENTS = 40
FILES = 10


def _write(
    ready: Connection, place: SharedLake, logs: Sequence[Path], settings: dict[str, str]
) -> None:
    os.environ.update(settings)
    ready.send("ready")
    ingest.COMMIT_EVENTS = 1  # type: ignore[misc]
    with Lake.open(place) as lake:
        report = ingest.ingest(logs, lake)
    assert not [d for d in report.diagnostics if d.severity.name == "ERROR"]


def start(place: SharedLake, logs: Sequence[Path], cache: Path, **settings: str) -> BaseProcess:
    """A process that ingests, with a cache of its own."""
    server = get_context("forkserver")
    server.set_forkserver_preload([__name__])
    names = [n for n in os.environ if n.startswith("AWS_")]
    told = {**{n: os.environ[n] for n in names}, "ESCUDO_CACHE": str(cache), **settings}
    here, there = server.Pipe(duplex=False)
    child = server.Process(target=_write, args=(there, place, list(logs), told))
    child.start()
    there.close()
    assert here.recv() == "ready"
    return child


def read(lake: Snapshot, table: str, columns: Sequence[str]) -> pa.Table:
    files = [open_file(file) for file in lake.files(table, ALL_TIME)]
    parts = [pq.read_table(file, columns=list(columns)) for file in files]
    return pa.concat_tables(parts) if parts else pa.table({c: [] for c in columns})


def see_whole_files(lake: Lake) -> set[str]:
    """The files of which events are visible: all of each, once, raw and in the data model."""
    snapshot = lake.snapshot()
    raw = read(snapshot, "raw_sysmon", ["source_file", "_event_id"])
    model = read(snapshot, "endpoint_processes", ["source_file", "_event_id"])
    assert sorted(raw["_event_id"].to_pylist()) == sorted(model["_event_id"].to_pylist())
    assert len(set(raw["_event_id"].to_pylist())) == raw.num_rows
    counts = raw.group_by("source_file").aggregate([("_event_id", "count")]).to_pylist()
    assert {row["_event_id_count"] for row in counts} <= {EVENTS}
    return {row["source_file"] for row in counts}


def check(place: SharedLake) -> set[str]:
    """Opens a lake after kills: what the ledger says is there, and nothing else."""
    with Lake.open(place) as lake:
        visible = see_whole_files(lake)
        assert visible == {f.path for f in lake.ledger.files()}
        return visible


@pytest.mark.slow
def test_two_machines_are_killed_again_and_again(shared: SharedLake, tmp_path: Path) -> None:
    """Both have all the logs, in another order; at the end each file is there once."""
    logs = write_logs(tmp_path / "logs", FILES, EVENTS)
    chance = random.Random(4)
    with Lake.open(shared):
        pass
    kills = rounds = 0
    acknowledged: set[str] = set()
    while len(acknowledged) < FILES:
        rounds += 1
        assert rounds < 40
        orders = (logs, logs[::-1])
        children = [start(shared, o, tmp_path / f"cache{n}") for n, o in enumerate(orders)]
        until = time.monotonic() + chance.uniform(0.3, 2.0 + rounds)
        while time.monotonic() < until and any(child.is_alive() for child in children):
            time.sleep(0.05)
        for child in children:
            child.kill()
            child.join()
            kills += child.exitcode == -signal.SIGKILL
            assert child.exitcode in (0, -signal.SIGKILL)
        visible = check(shared)
        assert visible >= acknowledged
        acknowledged = visible
    assert kills >= 3
    assert acknowledged == {str(log) for log in logs}
    with Lake.open(shared) as lake:
        compact(lake)
        assert see_whole_files(lake) == acknowledged
        assert verify(lake).damaged == ()
        assert list(lake.storage.below("work").list_files()) == []


@pytest.mark.slow
def test_writers_a_reader_and_a_compaction_through_a_storage_that_fails(
    shared: SharedLake, s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors, delays, answers that are lost or cut short, lists that are behind: the writers wait
    and go on, and the reader sees whole commits."""
    logs = write_logs(tmp_path / "logs", 4, EVENTS)
    faults = Faults(errors=0.05, slow=0.05, cut=0.03, unanswered=0.02, stale=0.1)
    with stand_before_apart(s3_server, faults) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with Lake.open(shared) as lake:
            children = [
                start(shared, logs[:3], tmp_path / "cache1"),
                start(shared, logs[1:], tmp_path / "cache2"),
            ]
            before: set[str] = set()
            while any(child.is_alive() for child in children):
                visible = see_whole_files(lake)
                assert visible >= before
                before = visible
            for child in children:
                child.join()
            assert [child.exitcode for child in children] == [0, 0]
            compact(lake)
    assert all(faults.told[name] for name in ("errors", "slow", "cut", "unanswered", "stale"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    assert check(shared) == {str(log) for log in logs}
    with Lake.open(shared) as lake:
        assert verify(lake).damaged == ()
