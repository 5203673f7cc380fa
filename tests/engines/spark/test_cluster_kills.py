"""A worker, the driver, the server of S3 are killed in the middle of an ingest, of a hunt and of
windows that are due, on a cluster: nothing is half-written, the job goes on or says how to, and the
command given again makes what it makes undisturbed. A window that had run is not run again.

The suite kills the driver and a worker of the windows. ``ESCUDO_KILLS=10`` sets rounds: each kills
all three, in turns in each of the jobs. Chance chooses the moments.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from escudo.lake import Lake
from escudo.lake.place import SharedLake
from escudo.lake.tables import NOTABLE, RISK
from escudo.schedule.database import State
from escudo.schedule.tables import DONE, FAILED, GAPS, SEARCHES, WINDOWS
from tests.engines.spark.cluster import (
    S3_CONNECTOR,
    SECONDS,
    Cluster,
    begin,
    end_group,
    run,
)
from tests.engines.spark.found import read_found
from tests.lake.stored_rows import find_raw_ids, read_stored
from tests.needs_spark import needs_spark
from tests.shared_data import SHARED, needs_shared
from tests.storage import s3
from tests.storage.gate import Gate

pytestmark = [*needs_spark, needs_shared]

ROUNDS = int(os.environ.get("ESCUDO_KILLS", "0"))
VICTIMS = ("worker", "driver", "storage")
JOBS = ("ingest", "hunt", "run")
KILLS = [
    (victim, JOBS[(number + at) % len(JOBS)])
    for number in range(ROUNDS)
    for at, victim in enumerate(VICTIMS)
] or [("driver", "run"), ("worker", "run")]
LOGS = ("evtx/Discovery", "evtx/Execution", "otrf/covenant_sharpwmi_create_dcerpc_wmi.zip")
CONTENT = (
    "detections/endpoint/cmd_carry_out_string_command_parameter.yml",
    "detections/endpoint/network_connection_discovery_with_net.yml",
    "detections/endpoint/icacls_grant_command.yml",
    "macros",
)
WEEKLY = Path(__file__).with_name("weekly_content")
WINDOWED = ("Processes of a Week", "Programs of a Week", "Sources of a Week")
"""Detections that look at a week each; so few that they are not screened, which takes most time."""
BEGIN, END, WEEKS = "2019-05-13T00:00:00Z", "2019-06-17T00:00:00Z", 5
"""When they are known first, and the weeks later: most of these have events."""
_CODE = re.compile(r"error\[(\w+)\]")
_SAFE = frozenset({"ENG001", "ENG009", "STO001", "LAK007"})
"""Errors that end a job which the storage left; each says that it can be repeated."""


@dataclass(frozen=True)
class Made:
    """What a job makes: the rows of events, what was found, and the windows that are known, by
    search and time: what became of them."""

    events: Mapping[str, Any]
    found: Mapping[str, Sequence[str]]
    windows: Mapping[tuple[str, float], tuple[Any, ...]] = field(default_factory=dict)


@dataclass
class Scene:
    """A cluster whose storage is behind a gate. ``whole`` is what each job makes undisturbed, and
    ``seconds`` how long it takes."""

    cluster: Cluster
    gate: Gate
    server: str
    postgres: str
    folder: Path
    logs: Sequence[Path]
    content: Sequence[Path]
    whole: dict[str, Made] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    number: int = 0

    def make_command(
        self, job: str, place: SharedLake, *, spark: bool = True, now: str = END
    ) -> list[str]:
        given = {
            "ingest": ["ingest", *map(str, self.logs), "--quiet"],
            "hunt": ["hunt"],
            "run": ["run", "--once", "--continuous", "--now", now],
            "backfill": ["backfill", "--now", now],
        }[job]
        given += ["--lake", place.url, "--ledger", place.ledger]
        if job == "hunt":
            given += [text for path in self.content for text in ("--content", str(path))]
        if job in ("run", "backfill"):
            given += ["--content", str(WEEKLY)]
            given += [text for name in WINDOWED for text in ("--detection", name)]
        through = {"spark.executorEnv.AWS_ENDPOINT_URL": self.gate.endpoint}
        more = self.cluster.name_place(self.folder, {**S3_CONNECTOR, **through})
        return [*given, *(more if spark else [])]

    def prepare(self, job: str, place: SharedLake) -> None:
        """Does what comes before a job."""
        if job == "ingest":
            return
        run(*self.make_command("ingest", place, spark=False), more=self.environment)
        if job == "run":
            first = self.make_command("run", place, spark=False, now=BEGIN)
            run(*first, more=self.environment)

    @property
    def environment(self) -> Mapping[str, str]:
        return s3.make_environment(self.gate.endpoint)

    @contextmanager
    def make_place(self) -> Iterator[SharedLake]:
        """A lake in the bucket, its ledger in a database of its own."""
        self.number += 1
        name = f"kills{self.number}"
        url = sa.make_url(self.postgres).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            ledger = self.postgres.replace("/postgres", f"/{name}")
            yield SharedLake(f"s3://{s3.BUCKET}/{name}", ledger)
        finally:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
            engine.dispose()


@pytest.fixture
def scene(
    cluster: Cluster,
    bucket: Mapping[str, str],
    postgres: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    assert SHARED is not None
    logs = [SHARED / log for log in LOGS]
    content = [SHARED / "security_content" / name for name in CONTENT]
    for name, value in bucket.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ESCUDO_CACHE", str(tmp_path / "cache"))
    with Gate(bucket["AWS_ENDPOINT_URL"]) as gate:
        made = Scene(cluster, gate, bucket["AWS_ENDPOINT_URL"], postgres, tmp_path, logs, content)
        for job in sorted({job for _, job in KILLS}):
            with made.make_place() as place:
                made.prepare(job, place)
                begun = time.monotonic()
                run(*made.make_command(job, place), more=made.environment)
                made.seconds[job] = time.monotonic() - begun
                whole = made.whole[job] = _read_made(place)
            assert whole.events
            assert job == "ingest" or all(whole.found.values())
            if job == "run":
                _are_whole(whole)
        yield made


def _are_whole(made: Made) -> None:
    """All windows have run, most of them for something, and each of these rows is there once."""
    assert len(made.windows) == len(WINDOWED) * WEEKS
    states, _, risk_events, findings = zip(*made.windows.values(), strict=True)
    assert set(states) == {DONE}
    assert sum(map(bool, findings)) > WEEKS
    assert sum(risk_events) == len(made.found[RISK])
    assert sum(findings) == len(made.found[NOTABLE])


def test_a_kill_leaves_nothing_half_written(scene: Scene) -> None:
    chance = random.Random(18)
    hits = 0
    for number, (victim, job) in enumerate(KILLS):
        hit, told = _disturb(scene, job, victim, chance)
        print(f"kill {number + 1}: {victim}, {job}: {'hit' if hit else 'late'} {told}")
        hits += hit
    assert hits >= len(KILLS) / len(VICTIMS), "a kill that comes late shows nothing"


def _disturb(
    scene: Scene, job: str, victim: str, chance: random.Random
) -> tuple[bool, Sequence[str]]:
    """Whether the job was at work when the victim was killed, and the errors that it told."""
    whole = scene.whole[job]
    with scene.make_place() as place:
        scene.prepare(job, place)
        command = scene.make_command(job, place)
        process = begin(command, scene.environment)
        try:
            moment = chance.uniform(0.4, 0.95)
            if job == "run":
                _await_windows(place, int(moment * len(whole.windows)), process)
                time.sleep(chance.uniform(0.0, 2.0))
            else:
                time.sleep(moment * scene.seconds[job])
            hit = process.poll() is None
            if victim == "driver":
                end_group(process)
            elif victim == "worker":
                scene.cluster.kill_worker()
            else:
                scene.gate.kill()
                time.sleep(chance.uniform(1.0, 8.0))
                scene.gate.open()
            _, told = process.communicate(timeout=SECONDS)
        finally:
            end_group(process)
            if victim == "worker":
                scene.cluster.add_worker()
        codes = _CODE.findall(told) + _read_failures(place)
        if victim == "worker":
            assert process.returncode == 0, told
        elif victim == "storage" and process.returncode:
            assert codes, told
            assert set(codes) <= _SAFE, told
        made, runs = _read_made(place), _count_runs(place)
        assert made.events in ({}, whole.events)
        assert all(set(made.found[name]) <= set(whole.found[name]) for name in made.found)
        ran = {window: what for window, what in made.windows.items() if what[0] == DONE}
        assert ran or job != "run"
        assert ran.items() <= whole.windows.items()
        if process.returncode == 0:
            assert made == whole
        if any(what[0] == FAILED for what in made.windows.values()):
            assert "escudo backfill" in told
            run(*scene.make_command("backfill", place), more=scene.environment)
        run(*command, more=scene.environment)
        assert _read_made(place) == whole
        again = _count_runs(place)
        assert {window: again[window] for window in ran} == {window: runs[window] for window in ran}
        with Lake.open(place) as lake:
            ids = find_raw_ids(lake)
            assert len(set(ids)) == len(ids)
            assert _find_strays(lake) == set()
    told_of = [f"{len(ran)} of {len(whole.windows)} windows"] if job == "run" else []
    return hit, [*told_of, *codes]


def _await_windows(place: SharedLake, number: int, process: subprocess.Popen[str]) -> None:
    """Until so many windows have run, or the process has ended."""
    asked = sa.select(sa.func.count()).select_from(WINDOWS).where(WINDOWS.c.state == DONE)
    with State.open(place.ledger) as state:
        while process.poll() is None:
            with state.read() as connection:
                if connection.execute(asked).scalar_one() >= number:
                    return
            time.sleep(0.2)


def _read_made(place: SharedLake) -> Made:
    with Lake.open(place) as lake:
        events, found = _read_events(lake), read_found(lake)
    what = (WINDOWS.c.state, WINDOWS.c.rows, WINDOWS.c.risk_events, WINDOWS.c.findings)
    with State.open(place.ledger) as state, state.read() as connection:
        rows = connection.execute(_ask_windows(*what)).all()
        assert not connection.execute(sa.select(GAPS.c.id)).all()
    return Made(events, found, {(name, due): tuple(rest) for name, due, *rest in rows})


def _count_runs(place: SharedLake) -> dict[tuple[str, float], int]:
    """How often each window was begun."""
    with State.open(place.ledger) as state, state.read() as connection:
        rows = connection.execute(_ask_windows(WINDOWS.c.runs)).all()
    return {(name, due): runs for name, due, runs in rows}


def _read_failures(place: SharedLake) -> list[str]:
    """The errors of the windows whose search failed."""
    with State.open(place.ledger) as state, state.read() as connection:
        failed = _ask_windows(WINDOWS.c.code).where(WINDOWS.c.state == FAILED)
        return [code for _, _, code in connection.execute(failed)]


def _ask_windows(*columns: sa.Column[Any]) -> sa.Select[Any]:
    named = sa.select(SEARCHES.c.name, WINDOWS.c.due, *columns)
    return named.join(SEARCHES, SEARCHES.c.id == WINDOWS.c.search_id)


def _read_events(lake: Lake) -> dict[str, Any]:
    return {name: rows for name, rows in read_stored(lake).items() if name not in (RISK, NOTABLE)}


def _find_strays(lake: Lake) -> set[str]:
    """The data files that no commit names."""
    snapshot = lake.snapshot()
    named = {file.path for name in snapshot.tables() for file in snapshot.data_files(name)}
    tables = lake.tables_folder
    stored = {
        file.name
        for table in tables.list_folders()
        for file in tables.below(table).list_files()
        if file.name.endswith(".parquet")
    }
    return stored - named
