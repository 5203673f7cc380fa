"""The program over a lake in a bucket, with its ledger and state in PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.lake.logs import write_logs
from tests.schedule.conftest import database as database
from tests.schedule.conftest import postgres as postgres
from tests.storage import s3

pytestmark = pytest.mark.slow

SECRET = s3.make_environment("")["AWS_SECRET_ACCESS_KEY"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3.serve() as found:
        yield found


def run(
    *words: object, environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    names = ("PATH", "PYTHONPATH", "HOME", "LANG", "ESCUDO_SHARED_DATA")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "escudo.cli", *map(str, words)],
        env={**kept, "ESCUDO_CACHE": str(folder / "cache"), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_a_team_on_a_bucket(endpoint: str, database: str, tmp_path: Path) -> None:
    """Ingest, search, lookups, schedules, maintenance, a copy; the secret is in the user's file."""
    write_logs(tmp_path / "logs", 3, 20)
    config = tmp_path / "config.toml"
    told = {**s3.make_environment(endpoint)}
    config.write_text(
        f'lake = "s3://{s3.BUCKET}/team"\nledger = "{database}"\n[storage]\n'
        + "".join(f'{name.lower()} = "{value}"\n' for name, value in told.items())
    )
    environment = {"ESCUDO_CONFIG": str(config)}
    out: list[str] = []

    def escudo(*words: object) -> str:
        done = run(*words, environment=environment, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        out.append(done.stdout + done.stderr)
        return done.stdout

    log = ("--log-file", tmp_path / "log.jsonl")
    escudo(*log, "ingest", "logs")
    counted = escudo("search", "index=* | stats count by source_file", "--format", "json")
    assert [row["count"] for row in json.loads(counted)] == [20, 20, 20]
    escudo("search", 'index=* | head 1 | eval user="ann" | table user | outputlookup seen.csv')
    looked = escudo("search", "| inputlookup seen.csv", "--format", "json")
    assert json.loads(looked) == [{"user": "ann"}]
    escudo(*log, "hunt", "logs/log000.xml")
    escudo("run", "--once")
    assert "endpoint_processes" in escudo("lake", "info")
    escudo("lake", "compact")
    escudo("lake", "verify")
    escudo("lake", "copy", f"s3://{s3.BUCKET}/team", "here", "--from-ledger", database)
    with_folder = escudo("search", "index=* | stats count", "--lake", "here", "--format", "json")
    assert json.loads(with_folder) == [{"count": 60}]
    assert (tmp_path / "here" / "ledger.sqlite").is_file()

    written = (tmp_path / "log.jsonl").read_text() + "".join(out)
    assert SECRET not in written
    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        assert {"commits", "windows"} <= {name for (name,) in tables}
        rows = [str(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables]
    assert SECRET not in "".join(rows)
    listed = httpx.get(f"{endpoint}/{s3.BUCKET}?list-type=2").text
    keys = [part.partition("<")[0] for part in listed.split("<Key>")[1:]]
    assert "team/lake.json" in keys
    for key in keys:
        assert SECRET.encode() not in httpx.get(f"{endpoint}/{s3.BUCKET}/{key}").content


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("search", "| makeresults", "--lake", "s3://nowhere/x"), "LAK029"),
        (("search", "| makeresults", "--lake", "https://example.org/x"), "STO003"),
        (("lake", "info", "--lake", "s3://b/x?y"), "STO003"),
        (("search", "| makeresults", "--lake", "s3://b/x", "--ledger", "mysql://h/n"), "LAK033"),
        (
            ("lake", "repair", "--lake", "s3://b/x", "--ledger", "postgresql://127.0.0.1:1/n"),
            "LAK034",
        ),
    ],
)
def test_what_is_wrong_is_told(words: tuple[str, ...], code: str, tmp_path: Path) -> None:
    done = run(*words, environment={"ESCUDO_CONFIG": ""}, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error[{code}]")


def test_a_file_in_a_folder_of_evidence_sends_no_credentials_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "escudo.toml").write_text('[storage]\naws_endpoint_url = "http://127.0.0.1:1"\n')
    done = run("config", environment={"HOME": str(tmp_path)}, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error[CLI032] escudo.toml:1:2: [storage] is only for the user's")


def test_only_variables_of_storages_are_set(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[storage]\nld_preload = "x.so"\n')
    done = run("config", environment={"ESCUDO_CONFIG": str(config)}, folder=tmp_path)
    assert done.returncode == 1
    told = f"error[CLI031] {config}:2:1: storage.ld_preload must be a text, and begin with one of"
    assert done.stderr.startswith(told)
