"""Spark Connect: a server of its own, to which Escudo is a client without Java. Searches, functions
of the workers, ingest and attached sessions go by it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo.engines.spark.available import explain_unavailable
from tests.engines.spark.cluster import end_group, find_free_port, write_bare_python

_REASON = explain_unavailable() or explain_unavailable(remote=True)
pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.skipif(_REASON is not None, reason=str(_REASON)),
]
_SECONDS = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with two threads, whose Python has no Escudo."""
    pyspark = pytest.importorskip("pyspark")
    folder = tmp_path_factory.mktemp("connect")
    home, port = Path(pyspark.__file__).parent, find_free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SPARK_REMOTE"))},
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(write_bare_python(folder)),
    }
    settings = {
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    options = [part for k, v in settings.items() for part in ("--conf", f"{k}={v}")]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(str(home / "bin" / "spark-submit"), "--master", "local[2]", *options),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
                "spark-internal",
            ],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(port, process, folder / "server.log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        end_group(process)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.3)
    raise AssertionError(log.read_text(errors="replace")[-3000:])


def test_a_session_of_connect_does_all_that_another_does(server: str, tmp_path: Path) -> None:
    """In a process of its own: a process has sessions of one kind."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engines.spark.connect_script", server, tmp_path],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=_SECONDS * 3,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "same"
