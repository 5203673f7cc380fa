"""A standalone cluster, whose workers have Python and what Escudo depends on, but not Escudo: logs
read by them, searched and hunted there give what DuckDB gives; nothing is half-written when one of
the processes is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from escudo.engines.spark.shipping import build_archive
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.place import SharedLake
from tests.engines.spark.cluster import (
    ENVIRONMENT,
    S3_CONNECTOR,
    SECONDS,
    Cluster,
    begin,
    end_group,
    run,
    write_bare_python,
)
from tests.lake.logs import write_logs
from tests.lake.stored_rows import find_model_ids, find_raw_ids, read_stored
from tests.needs_spark import needs_spark
from tests.shared_data import SHARED, needs_shared
from tests.storage import s3

pytestmark = [*needs_spark]

_SEARCHES = (
    "index=* | stats count by sourcetype EventCode | sort 0 sourcetype EventCode",
    '| tstats count from datamodel=Endpoint.Processes by Processes.process_name | sort 0 "Processes'
    '.process_name"',
    'index=* EventCode=1 | eval name=lower(replace(Image, "^.*\\\\\\\\", "")), '
    "decoded=urldecode(CommandLine) | stats count dc(decoded) as lines by name | sort 0 name",
    "index=* | transaction host maxspan=5m startswith=eval(EventCode=1) "
    "| stats sum(eventcount) as events count by host | sort 0 host",
)


def _read_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_bare_worker_gets_the_package_with_the_job(tmp_path: Path) -> None:
    """The workers' Python has no Escudo of its own; the archive gives it one, data files too."""
    python = write_bare_python(tmp_path)
    alone = subprocess.run([python, "-c", "import escudo"], env={}, capture_output=True, text=True)
    assert "No module named 'escudo'" in alone.stderr
    work = tmp_path / "executor"
    work.mkdir()
    shipped = work / build_archive().name
    shipped.write_bytes(build_archive().read_bytes())
    program = (
        "import escudo, escudo.engines.kernels, escudo.lake.part_ingest\n"
        "from escudo.lake.tables import load_tables\n"
        "print(escudo.__version__, len(list(load_tables())) > 20, escudo.__file__)"
    )
    for _ in range(2):
        given = subprocess.run(
            [python, "-c", program],
            env={"PYTHONPATH": str(shipped)},
            capture_output=True,
            text=True,
        )
        version, whole, file = given.stdout.split()
        assert whole == "True", given.stderr
        assert Path(file).is_relative_to(work), "it is beside the archive, which Spark clears away"
    assert len(list(work.iterdir())) == 2, "it is unpacked once"
    assert version


LOGS = ("evtx/Discovery", "otrf/covenant_sharpwmi_create_dcerpc_wmi.zip")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs, as DuckDB took them in on this machine."""
    assert SHARED is not None
    place = tmp_path_factory.mktemp("alone") / "lake"
    run("ingest", *(SHARED / log for log in LOGS), "--lake", place, "--quiet")
    return place


@needs_shared
def test_a_cluster_gives_the_rows_that_duckdb_gives(
    cluster: Cluster, here: Path, tmp_path: Path
) -> None:
    assert SHARED is not None
    there = tmp_path / "there"
    place = cluster.name_place(tmp_path)
    run("ingest", *(SHARED / log for log in LOGS), "--lake", there, "--quiet", *place)
    with Lake.open(there) as spread:
        _is_the_same(spread, here)
    told = _tell(cluster, cluster.write_properties(tmp_path), there, _copy(there))
    assert told.returncode == 0, told.stderr
    _is_told_alike(told.stdout)


@needs_shared
def test_a_cluster_shares_nothing_but_a_bucket_and_a_database(
    cluster: Cluster,
    here: Path,
    bucket: Mapping[str, str],
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows, searches, a hunt with its risk events are those of DuckDB over a folder."""
    assert SHARED is not None
    for name, value in bucket.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ESCUDO_CACHE", str(tmp_path / "cache"))
    there = SharedLake(f"s3://{s3.BUCKET}/lake", database)
    logs = [SHARED / log for log in LOGS]
    place = ["--lake", there.url, "--ledger", database, *cluster.name_place(tmp_path)]
    run("ingest", *logs, "--quiet", *place, more=bucket)
    with Lake.open(there) as spread:
        _is_the_same(spread, here)
    without = begin(["search", "index=* | stats count", *place], bucket)
    _, said = without.communicate(timeout=SECONDS)
    assert without.returncode == 1
    assert "error[ENG014]: this Spark cannot read s3a:// files" in said
    properties = cluster.write_properties(tmp_path, S3_CONNECTOR)
    told = _tell(cluster, properties, there.url, _copy(here), ledger=database, more=bucket)
    if "unresolved dependenc" in told.stderr.lower():
        pytest.skip("Hadoop's connector to S3 cannot be fetched here")
    assert told.returncode == 0, told.stderr
    _is_told_alike(told.stdout)


def _is_the_same(spread: Lake, here: Path) -> None:
    with Lake.open(here) as alone:
        assert read_stored(spread) == read_stored(alone)
    ids = find_raw_ids(spread)
    assert len(set(ids)) == len(ids)
    assert find_model_ids(spread) <= set(ids)
    assert spread.ledger.head().id == 1


def _copy(lake: Path) -> Path:
    """A copy of a lake, for what a hunt writes into it."""
    copy = lake.with_name(f"{lake.name}-copy")
    return Path(shutil.copytree(lake, copy))


def _tell(
    cluster: Cluster,
    properties: Path,
    lake: str | Path,
    copy: Path,
    *,
    ledger: str = "",
    more: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """What Spark finds in a lake, and DuckDB in a folder."""
    program = properties.with_name("searches.py")
    program.write_text(_PROGRAM)
    searches = json.dumps(_SEARCHES)
    given = [cluster.master, properties, lake, ledger, copy, searches]
    return subprocess.run(
        [sys.executable, program, *map(str, given)],
        env={**ENVIRONMENT, **(more or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def _is_told_alike(out: str) -> None:
    by_spark, by_duckdb = _read_lines(out)
    assert by_spark == by_duckdb
    assert all(by_duckdb["searches"])
    assert by_duckdb["matches"]
    assert by_duckdb["risk"]


_PROGRAM = """
import json, sys
from pathlib import Path
from escudo.actions.engines import DuckDBEngines, SparkEngines
from escudo.actions.hunt import hunt_lake, plan_hunt
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.content import load
from escudo.engines.spark.place import SparkPlace
from escudo.lake import Lake
from escudo.lake.place import make_place

master, properties, lake, ledger, copy, searches = sys.argv[1:]
content = load()
place = SparkPlace.find(master, Path(properties))


def tell(engines, place):
    with Lake.open(place) as lake:
        space = Workspace(content=content, lake=lake, engine_of=engines, now=1_900_000_000.0)
        found = []
        for text in json.loads(searches):
            tables = search_lake(text, space, SearchOptions()).tables
            found.append([row for table in tables for row in table.to_pylist()])
        hunt = hunt_lake(plan_hunt(content).detections, space)
        matches = {
            m.detection.name: sorted(map(repr, m.rows.to_pylist())) for m, _ in hunt.hits()
        }
        failed = [d.code for d in hunt.diagnostics if d.severity.value == "error"]
        ask = "| from datamodel Risk.All_Risk | stats count sum(calculated_risk_score) as score"
        (risk,) = search_lake(ask, space, SearchOptions()).tables
    print(
        json.dumps(
            {"searches": found, "matches": matches, "failed": failed, "risk": risk.to_pylist()},
            default=str,
        )
    )


tell(SparkEngines(place), make_place(lake, ledger or None))
tell(DuckDBEngines(), copy)
"""


def _await_files(lake: Path, process: subprocess.Popen[str]) -> None:
    """Until the first data file is being written."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        if any(lake.glob("tables/*/*.parquet")):
            return
        time.sleep(0.02)
    out, told = process.communicate(timeout=60)
    raise AssertionError(f"it ended without a data file: {out}{told}")


@pytest.fixture(scope="module")
def many_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten files, each of which is a part."""
    folder = tmp_path_factory.mktemp("many")
    write_logs(folder, 10, 1500)
    return folder


def test_a_killed_worker_changes_nothing(cluster: Cluster, many_logs: Path, tmp_path: Path) -> None:
    place = cluster.name_place(tmp_path)
    process = begin(["ingest", many_logs, "--lake", tmp_path / "lake", "--quiet", *place])
    try:
        _await_files(tmp_path / "lake", process)
        killed = cluster.list_executors()
        for pid in killed[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _, told = process.communicate(timeout=SECONDS)
    finally:
        end_group(process)
    assert killed
    assert process.returncode == 0, told
    with Lake.open(tmp_path / "lake") as lake, Lake.open(tmp_path / "alone") as alone:
        ingest([many_logs], alone)
        assert read_stored(lake) == read_stored(alone)
        assert lake.ledger.head().id == 1
        _assert_no_strays(lake)


def test_a_killed_driver_leaves_nothing_and_the_next_run_goes_on(
    cluster: Cluster, many_logs: Path, tmp_path: Path
) -> None:
    place = cluster.name_place(tmp_path)
    folder = tmp_path / "lake"
    process = begin(["ingest", many_logs, "--lake", folder, "--quiet", *place])
    try:
        _await_files(folder, process)
    finally:
        end_group(process)
    time.sleep(5)  # tasks at work see within seconds that nobody waits for them
    with Lake.open(folder) as lake:
        assert lake.snapshot().tables() == []
        _assert_no_strays(lake)
        assert not list((folder / "work").iterdir())
    run("ingest", many_logs, "--lake", folder, "--quiet", *place)
    with Lake.open(folder) as lake:
        assert len(find_raw_ids(lake)) == 15_000
        _assert_no_strays(lake)


def _assert_no_strays(lake: Lake) -> None:
    snapshot = lake.snapshot()
    named = {file.path for name in snapshot.tables() for file in snapshot.data_files(name)}
    assert {path.name for path in lake.path.glob("tables/*/*.parquet")} == named
