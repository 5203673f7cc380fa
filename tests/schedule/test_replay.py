"""Real logs in the order of time through workers: the findings of hunts over the same windows.

The suite replays some hours of them by some detections, and kills a worker a few times.
``ESCUDO_REPLAY=all`` takes all hours and all upstream content; ``ESCUDO_KILLS=100`` sets the kills,
``ESCUDO_REPLAY_LOGS=otrf`` the logs.
"""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import hunt_lake, plan_hunt
from escudo.actions.run import prepare_worker
from escudo.actions.workspace import Workspace
from escudo.content import Content
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect.screening import Screener
from escudo.lake import Lake
from escudo.lake.tables import NOTABLE, RISK
from escudo.schedule.database import State
from escudo.schedule.status import read_status
from tests.real.conftest import LakeOf, lake_of  # noqa: F401  (a fixture)
from tests.schedule.replay import Replay
from tests.shared_data import SHARED, needs_shared

pytestmark = [pytest.mark.slow, needs_shared]

ALL = os.environ.get("ESCUDO_REPLAY") == "all"
KILLS = int(os.environ.get("ESCUDO_KILLS", "2"))
LOGS = os.environ.get("ESCUDO_REPLAY_LOGS", "evtx")
HOURS = 4
"""Full hours that the suite replays: those with most events."""

FILES = (
    "detections/endpoint/cmd_carry_out_string_command_parameter.yml",
    "detections/endpoint/extraction_of_registry_hives.yml",
    "detections/endpoint/impacket_lateral_movement_commandline_parameters.yml",
    "detections/endpoint/network_connection_discovery_with_net.yml",
    "detections/endpoint/icacls_grant_command.yml",
    "macros",
)
"""Of the upstream content, what finds most in these logs."""


@pytest.fixture(scope="module")
def paths() -> list[Path]:
    assert SHARED is not None
    root = SHARED / "security_content"
    return [root] if ALL else [root / name for name in FILES if (root / name).exists()]


@pytest.fixture(scope="module")
def loaded(paths: Sequence[Path]) -> Content:
    return content.load(paths)


@pytest.fixture(scope="module")
def replay(lake_of: LakeOf) -> Replay:  # noqa: F811
    return Replay.read(lake_of(LOGS))


@pytest.fixture(scope="module")
def ticks(replay: Replay) -> list[float]:
    every = replay.list_ticks()
    if ALL:
        return every
    busy = sorted(every, key=lambda t: -replay.count_between(t - 4200, t - 600))[:HOURS]
    return sorted(busy)


@dataclass
class Found:
    """The hashes of risk events and findings in a lake, as often as they are there."""

    risk: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, lake: Lake, *, correlations: frozenset[str] = frozenset()) -> Found:
        """``correlations``: the searches whose findings do not count."""

        def hashes(table: str) -> list[str]:
            out: list[str] = []
            for file in lake.snapshot().files(table, ALL_TIME):
                rows = pq.read_table(file, columns=["event_hash", "search_name"])
                kept = rows.to_pylist()
                out += [r["event_hash"] for r in kept if r["search_name"] not in correlations]
            return sorted(out)

        return cls(hashes(RISK), hashes(NOTABLE))


@pytest.fixture(scope="module")
def rules(loaded: Content) -> frozenset[str]:
    """Correlations sum up the risk of their window so far, a hunt that of all of it."""
    return frozenset(d.search_name for d in loaded.detections if d.type == "Correlation")


@pytest.fixture(scope="module")
def expected(
    lake_of: LakeOf,  # noqa: F811
    loaded: Content,
    ticks: Sequence[float],
    rules: frozenset[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Found:
    """What hunts find, one over each window, all logs being there."""
    chosen = [d for d in plan_hunt(loaded).detections if d.search_name not in rules]
    source = lake_of(LOGS)
    copy = tmp_path_factory.mktemp("hunted") / "lake"
    whole = Replay.read(source)
    screener = Screener()  # of all hunts: each search is bound once
    with Lake.open(copy) as lake:
        whole.feed(lake, float("inf"))
        for tick in ticks:
            workspace = Workspace(
                content=loaded,
                lake=lake,
                engine_of=DuckDBEngines(),
                now=tick,
                within=TimeRange(tick - 4200, tick - 600),
                screener=screener,
            )
            hunt_lake(chosen, workspace)
        found = Found.read(lake)
    assert len(found.findings) >= 3, "there is something to find"
    return found


class Child:
    """A worker in a process of its own."""

    def __init__(self, lake: Path, place: str, paths: Sequence[Path]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.schedule.replay_child", str(lake), place]
            + [str(p) for p in paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BrokenPipeError
        return line

    def begin(self, tick: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{tick}\n")
        self._process.stdin.flush()

    def end(self) -> str:
        """Waits for what was begun."""
        return self._read()

    def is_done_within(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return bool(ready)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                assert stream is not None
                stream.close()


def copy_of(replay: Replay) -> Replay:
    """The same events, none of them fed."""
    return Replay(replay.tables, replay.times)


def test_a_replay_finds_what_hunts_find(
    replay: Replay,
    ticks: Sequence[float],
    loaded: Content,
    expected: Found,
    rules: frozenset[str],
    tmp_path: Path,
) -> None:
    feeding = copy_of(replay)
    with Lake.open(tmp_path / "lake") as lake, State.open(tmp_path / "s.sqlite") as state:
        workspace = Workspace(content=loaded, lake=lake, engine_of=DuckDBEngines(), now=0.0)
        worker = prepare_worker(plan_hunt(loaded), workspace, state).worker
        for tick in ticks:
            feeding.feed(lake, tick)
            worker.step(tick)
        assert Found.read(lake, correlations=rules) == expected
        status = read_status(state, now=ticks[-1])
        assert status.windows["ready"] == status.windows["running"] == 0


def test_kills_lose_and_double_nothing(
    replay: Replay,
    ticks: Sequence[float],
    paths: Sequence[Path],
    expected: Found,
    rules: frozenset[str],
    tmp_path: Path,
) -> None:
    chance = random.Random(16)
    feeding = copy_of(replay)
    place = str(tmp_path / "s.sqlite")
    killed = 0
    chosen = set(chance.choices(range(len(ticks)), k=KILLS)) if len(ticks) > KILLS else set()
    with Lake.open(tmp_path / "lake") as lake, ExitStack() as at_end:
        child = Child(lake.path, place, paths)
        at_end.callback(lambda: child.kill())
        for number, tick in enumerate(ticks):
            feeding.feed(lake, tick)
            child.begin(tick)
            again = KILLS // max(1, len(ticks)) + (number in chosen)
            # The first kill meets a worker that has just begun, the others one at any moment.
            while again and not child.is_done_within(chance.random() ** 2 * 3 if killed else 0.05):
                child.kill()
                killed += 1
                again -= 1
                child = Child(lake.path, place, paths)
                child.begin(tick)
            child.end()
        assert killed > 0, "no kill met a worker at work"
        with Lake.open(lake.path) as opened:
            assert Found.read(opened, correlations=rules) == expected


def test_two_workers_on_postgresql_find_the_same(
    replay: Replay,
    ticks: Sequence[float],
    paths: Sequence[Path],
    expected: Found,
    rules: frozenset[str],
    database: str,
    tmp_path: Path,
) -> None:
    feeding = copy_of(replay)
    with Lake.open(tmp_path / "lake") as lake, ExitStack() as at_end:
        children = [Child(lake.path, database, paths) for _ in range(2)]
        for child in children:
            at_end.callback(child.kill)
        for tick in ticks:
            feeding.feed(lake, tick)
            for child in children:
                child.begin(tick)
            for child in children:
                child.end()
        with Lake.open(lake.path) as opened:
            assert Found.read(opened, correlations=rules) == expected
    with State.open(database) as state:
        status = read_status(state, now=ticks[-1])
        assert status.windows["ready"] == status.windows["running"] == 0
