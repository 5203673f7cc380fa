"""A standalone Spark cluster on this machine: a master, and workers of one core each, all processes
of their own, whose Python has Escudo's dependencies but not Escudo."""

from __future__ import annotations

import os
import signal
import site
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_SECONDS = 240
"""A busy machine takes long to start six Javas."""
_MEMORY = "700m"
_SPARK = "org.apache.spark.deploy"


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Cluster:
    """``master`` is its URL; ``properties`` is what a driver needs to know."""

    master: str
    python: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def properties(self) -> Mapping[str, str]:
        return {
            "spark.pyspark.python": str(self.python),
            "spark.executor.memory": "512m",
            "spark.driver.memory": "1g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.network.timeout": "300s",
            "spark.ui.showConsoleProgress": "false",
        }

    def write_properties(self, folder: Path, more: Mapping[str, str] | None = None) -> Path:
        file = folder / "spark.conf"
        properties = {**self.properties, **(more or {})}
        file.write_text("".join(f"{k} {v}\n" for k, v in properties.items()))
        return file

    def list_executors(self) -> list[int]:
        """The process ids of the Javas that run tasks."""
        found = []
        for worker in self.workers:
            children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
            threads = Path(f"/proc/{worker.pid}/task").glob("*/children")
            for file in {children, *threads}:
                with suppress(OSError):
                    found += [int(pid) for pid in file.read_text().split()]
        return sorted(found)


def write_bare_python(folder: Path) -> Path:
    """A Python that imports what this one has, but for Escudo: path files, by which it is
    installed for development, are not read."""
    packages = os.pathsep.join(p for p in sys.path if p.endswith("site-packages"))
    packages = packages or os.pathsep.join(site.getsitepackages())
    script = folder / "bare-python"
    script.write_text(
        "#!/bin/sh\n"
        f'PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{packages}" exec "{sys.executable}" -S "$@"\n'
    )
    script.chmod(0o755)
    return script


S3_CONNECTOR: Mapping[str, str] = {
    "spark.jars.packages": "org.apache.hadoop:hadoop-aws:3.5.0,software.amazon.awssdk:s3:2.35.4,"
    "software.amazon.awssdk:s3-transfer-manager:2.35.4,software.amazon.awssdk:sts:2.35.4",
    "spark.jars.excludes": "software.amazon.awssdk:bundle",
}
"""Hadoop's S3 with the modules of Amazon's SDK that it needs (18 MB), without the bundle of all."""


@contextmanager
def start_cluster(
    folder: Path, workers: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """``environment`` is what its machines have in theirs beside what this process has."""
    pyspark = pytest.importorskip("pyspark")
    home = Path(pyspark.__file__).parent
    port = find_free_port()
    around = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYSPARK"))},
        **(environment or {}),
        "SPARK_HOME": str(home),
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_LOG_DIR": str(folder),
        "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = (folder / f"{name}.log").open("wb")
        process = subprocess.Popen(
            [str(home / "bin" / "spark-class"), *arguments],
            env=around,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        started.append(process)
        return process

    try:
        ui = str(find_free_port())
        start(
            "master",
            *(f"{_SPARK}.master.Master", "--host", "127.0.0.1"),
            *("--port", str(port), "--webui-port", ui),
        )
        cluster = Cluster(f"spark://127.0.0.1:{port}", write_bare_python(folder))
        for number in range(workers):
            (folder / f"worker{number}").mkdir()
            worker = start(
                f"worker{number}",
                *(f"{_SPARK}.worker.Worker", "--host", "127.0.0.1", "--cores", "1"),
                *("--memory", _MEMORY, "--work-dir", str(folder / f"worker{number}")),
                *("--webui-port", str(find_free_port()), cluster.master),
            )
            cluster.workers.append(worker)
        _await_registered(folder, workers)
        yield cluster
    finally:
        for process in reversed(started):
            end_group(process)


def _await_registered(folder: Path, workers: int) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        log = (folder / "master.log").read_text(errors="replace")
        if log.count("Registering worker") >= workers:
            return
        time.sleep(0.3)
    raise AssertionError(f"no cluster after {_SECONDS} s:\n{log}")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
