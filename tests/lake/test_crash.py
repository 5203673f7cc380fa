"""Processes that are killed, and processes that work at the same time."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from escudo.lake import Lake, Snapshot
from escudo.lake.maintenance import compact
from tests.lake.child import end, start
from tests.lake.handmade import query
from tests.lake.logs import write_logs

EVENTS = 40


def whole_files(lake: Lake | Snapshot) -> set[str]:
    """The files of which events are visible; all of each must be, raw and in the data model."""
    per_file = "SELECT source_file, count(*), count(DISTINCT _event_id) FROM rows GROUP BY 1"
    raw = query(lake, "raw_sysmon", per_file)
    rows = query(lake, "endpoint_processes", per_file)
    assert sorted(raw) == sorted(rows)
    assert all(found[1:] == (EVENTS, EVENTS) for found in raw)
    return {name for name, _, _ in raw}


def check(path: Path) -> set[str]:
    """Opens a lake after a crash: what the ledger says is there, and nothing else."""
    with Lake.open(path) as lake:
        visible = whole_files(lake)
        assert visible == {f.path for f in lake.ledger.files()}
        ids = "SELECT count(*), count(DISTINCT _event_id) FROM rows"
        for total, distinct in query(lake, "raw_sysmon", ids):
            assert total == distinct
        return visible


def finish(path: Path, logs: Sequence[Path]) -> None:
    assert end(start(path, logs)) == 0
    assert check(path) == {str(log) for log in logs}


def killed_at_random(tmp_path: Path, kills: int, files: int, seed: int) -> None:
    logs = write_logs(tmp_path / "logs", files, EVENTS)
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    round_number = done = 0
    while done < kills:
        path = tmp_path / f"lake{round_number}"
        child = start(path, logs)
        time.sleep(chance.random() * 1.5)
        child.kill()
        if end(child) == -signal.SIGKILL:
            done += 1
        now = check(path) if path.exists() and any(path.iterdir()) else set()
        assert now >= acknowledged
        acknowledged = now
        if len(now) == files:
            round_number, acknowledged = round_number + 1, set()
    finish(tmp_path / f"lake{round_number}", logs)


@pytest.mark.slow
def test_killed_at_random_a_few_times(tmp_path: Path) -> None:
    killed_at_random(tmp_path, kills=3, files=30, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_killed_at_random_many_times(tmp_path: Path, seed: int) -> None:
    killed_at_random(tmp_path, kills=25, files=120, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "call", "visible"),
    [
        ("file", 1, 0),
        ("table", 1, 0),
        ("table", 2, 0),
        ("record", 1, 0),
        ("commit", 1, 1),
        ("table", 3, 1),
        ("table", 4, 1),
        ("record", 2, 1),
        ("commit", 2, 2),
    ],
)
def test_killed_between_the_steps_of_a_commit(
    tmp_path: Path, point: str, call: int, visible: int
) -> None:
    """Two tables are committed for each file, then the ledger."""
    logs = write_logs(tmp_path / "logs", 3, EVENTS)
    path = tmp_path / "lake"
    assert end(start(path, logs, point, call)) == -signal.SIGKILL
    assert len(check(path)) == visible
    finish(path, logs)


@pytest.mark.slow
def test_a_crash_in_every_commit_in_turn(tmp_path: Path) -> None:
    """Each run gets one file further, and dies in the commit of the next."""
    logs = write_logs(tmp_path / "logs", 4, EVENTS)
    path = tmp_path / "lake"
    for done in range(1, 4):
        assert end(start(path, logs, "table", 3)) == -signal.SIGKILL
        assert len(check(path)) == done
    finish(path, logs)


@pytest.mark.slow
def test_a_reader_sees_whole_commits_while_others_write(tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", 24, EVENTS)
    path = tmp_path / "lake"
    with Lake.open(path) as lake:
        children = [start(path, logs[:12]), start(path, logs[12:])]
        before: set[str] = set()
        while any(child.is_alive() for child in children):
            visible = whole_files(lake.snapshot())
            assert visible >= before
            before = visible
        assert [end(child) for child in children] == [0, 0]
    assert check(path) == {str(log) for log in logs}


@pytest.mark.slow
def test_writers_of_the_same_files_and_a_compaction(tmp_path: Path) -> None:
    """Three processes with the same files in other orders: every file comes in once."""
    logs = write_logs(tmp_path / "logs", 30, EVENTS)
    path = tmp_path / "lake"
    with Lake.open(path) as lake:
        children = [start(path, logs), start(path, logs[::-1]), start(path, logs[15:] + logs[:15])]
        while any(child.is_alive() for child in children):
            compact(lake)
            whole_files(lake.snapshot())
        assert [end(child) for child in children] == [0, 0, 0]
    assert check(path) == {str(log) for log in logs}
