"""Upstream's content on a cluster that shares nothing but a bucket and a database: a hunt finds the
rows that DuckDB finds in a folder, and what runs by its schedule is written once.

The suite takes the detections that find most in these logs; ``ESCUDO_CLUSTER=all`` takes all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from escudo.lake import Lake
from escudo.lake.place import SharedLake
from tests.engines.spark.cluster import S3_CONNECTOR, Cluster, run
from tests.engines.spark.found import read_found
from tests.needs_spark import needs_spark
from tests.shared_data import SHARED, needs_shared
from tests.storage import s3

pytestmark = [*needs_spark, needs_shared]

LOGS = ("evtx/Execution", "evtx/Discovery", "otrf/covenant_sharpwmi_create_dcerpc_wmi.zip")
FILES = (
    "detections/endpoint/cmd_carry_out_string_command_parameter.yml",
    "detections/endpoint/detect_rare_executables.yml",
    "detections/endpoint/network_connection_discovery_with_net.yml",
    "detections/endpoint/single_letter_process_on_endpoint.yml",
    "detections/endpoint/windows_credential_access_from_browser_password_store.yml",
    "lookups",
    "macros",
)
ALL = os.environ.get("ESCUDO_CLUSTER") == "all"
NOW = "2020-08-06T09:00:00Z"
"""An hour after the last of these logs: its windows have findings."""
FAILS = 1
"""The exit code where some detections need an app that is not there."""


def test_upstreams_content_finds_alike(
    cluster: Cluster,
    bucket: Mapping[str, str],
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows that are due, which are claimed in the database; then again, which finds nothing new;
    then a hunt, which finds what the windows found, and more."""
    assert SHARED is not None
    for name, value in bucket.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ESCUDO_CACHE", str(tmp_path / "cache"))
    logs = [SHARED / log for log in LOGS]
    root = SHARED / "security_content"
    content: list[str | Path] = []
    for path in [root] if ALL else [root / name for name in FILES]:
        content += ["--content", path]
    here = tmp_path / "here"
    there = SharedLake(f"s3://{s3.BUCKET}/content", database)
    on_cluster = ["--ledger", database, *cluster.name_place(tmp_path, S3_CONNECTOR)]

    def tell(lake: str | Path, more: list[str], environment: Mapping[str, str]) -> list[Any]:
        place: list[str | Path] = ["--lake", lake, *more]
        run("ingest", *logs, "--quiet", *place, more=environment)
        told: list[Any] = []
        for _ in range(2):
            due = ["run", "--once", "--now", NOW, *place, *content]
            step = json.loads(run(*due, more=environment, codes=[0, FAILS]))
            told.append({name: step[name] for name in ("windows", "failed", "risk_events")})
        hunt = ["hunt", "--format", "json", *place, *content]
        told.append(json.loads(run(*hunt, more=environment, codes=[0, FAILS])))
        return told

    by_duckdb = tell(here, [], {})
    by_spark = tell(there.url, on_cluster, bucket)
    assert by_spark[:2] == by_duckdb[:2]
    first, again = by_duckdb[:2]
    assert first["risk_events"]
    assert again["windows"] == again["risk_events"] == 0
    assert len(by_duckdb[2]) > first["risk_events"]
    assert _write(by_spark[2]) == _write(by_duckdb[2])
    with Lake.open(there) as spread, Lake.open(here) as alone:
        wanted = read_found(alone)
        assert all(wanted.values())
        assert read_found(spread) == wanted


def _write(rows: Sequence[Any]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)
