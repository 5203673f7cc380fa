"""A worker, the driver, the server of S3 are killed in the middle of an ingest and of a hunt on a
cluster: nothing is half-written, the job goes on or says how to, and the command given again makes
what it makes undisturbed.

``ESCUDO_KILLS=10`` sets the rounds; each kills all three, at moments that chance chooses.
"""

from __future__ import annotations

import os
import random
import re
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

ROUNDS = int(os.environ.get("ESCUDO_KILLS", "1"))
VICTIMS = ("worker", "driver", "storage")
LOGS = ("evtx/Discovery", "evtx/Execution", "otrf/covenant_sharpwmi_create_dcerpc_wmi.zip")
CONTENT = (
    "detections/endpoint/cmd_carry_out_string_command_parameter.yml",
    "detections/endpoint/network_connection_discovery_with_net.yml",
    "detections/endpoint/icacls_grant_command.yml",
    "macros",
)
_CODE = re.compile(r"error\[(\w+)\]")
_SAFE = frozenset({"ENG001", "ENG009", "STO001", "LAK007"})
"""Errors that end a job which the storage left; each says that it can be repeated."""


@dataclass
class Scene:
    """A cluster whose storage is behind a gate. ``events`` is what the logs make in a lake,
    ``found`` what a hunt finds; ``seconds`` is how long each job takes undisturbed."""

    cluster: Cluster
    gate: Gate
    server: str
    postgres: str
    folder: Path
    logs: Sequence[Path]
    content: Sequence[Path]
    events: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    number: int = 0

    def make_command(self, job: str, place: SharedLake, *, spark: bool = True) -> list[str]:
        given = [
            *(["ingest", *map(str, self.logs), "--quiet"] if job == "ingest" else ["hunt"]),
            *("--lake", place.url, "--ledger", place.ledger),
        ]
        if job == "hunt":
            given += [text for path in self.content for text in ("--content", str(path))]
        through = {"spark.executorEnv.AWS_ENDPOINT_URL": self.gate.endpoint}
        more = self.cluster.name_place(self.folder, {**S3_CONNECTOR, **through})
        return [*given, *(more if spark else [])]

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
        with made.make_place() as place:
            for job in ("ingest", "hunt"):
                begun = time.monotonic()
                run(*made.make_command(job, place), more=made.environment)
                made.seconds[job] = time.monotonic() - begun
            with Lake.open(place) as lake:
                made.events, made.found = _read_events(lake), read_found(lake)
        assert made.events
        assert all(made.found.values())
        yield made


def test_a_kill_leaves_nothing_half_written(scene: Scene) -> None:
    """Each victim, in turns while events come in and while a hunt runs."""
    chance = random.Random(18)
    hits = 0
    for number in range(ROUNDS):
        for victim in VICTIMS:
            job = ("ingest", "hunt")[(number + VICTIMS.index(victim)) % 2]
            hit, told = _disturb(scene, job, victim, chance)
            print(f"round {number + 1}: {victim}, {job}: {'hit' if hit else 'late'} {told}")
            hits += hit
    assert hits >= ROUNDS, "a kill that comes late shows nothing"


def _disturb(
    scene: Scene, job: str, victim: str, chance: random.Random
) -> tuple[bool, Sequence[str]]:
    """Whether the job was at work when the victim was killed, and the errors that it told."""
    with scene.make_place() as place:
        if job == "hunt":
            run(*scene.make_command("ingest", place, spark=False), more=scene.environment)
        command = scene.make_command(job, place)
        process = begin(command, scene.environment)
        try:
            time.sleep(chance.uniform(0.4, 0.95) * scene.seconds[job])
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
        codes = _CODE.findall(told)
        if victim == "worker":
            assert process.returncode == 0, told
        elif victim == "storage" and process.returncode:
            assert codes, told
            assert set(codes) <= _SAFE, told
        with Lake.open(place) as lake:
            events, found = _read_events(lake), read_found(lake)
            assert events in ({}, scene.events)
            assert all(set(found[name]) <= set(scene.found[name]) for name in found)
            if process.returncode == 0:
                assert events == scene.events
                assert job == "ingest" or found == scene.found
        run(*command, more=scene.environment)
        with Lake.open(place) as lake:
            assert _read_events(lake) == scene.events
            assert job == "ingest" or read_found(lake) == scene.found
            ids = find_raw_ids(lake)
            assert len(set(ids)) == len(ids)
            assert _find_strays(lake) == set()
    return hit, codes


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
