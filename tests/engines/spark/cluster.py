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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from escudo.engines.spark.place import READ_HERE

SECONDS = 900
"""That a command may take."""
ENVIRONMENT = {**os.environ, "ESCUDO_CONFIG": "", "ESCUDO_CACHE": ""}
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
    start_worker: Callable[[], subprocess.Popen[bytes]]
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
            READ_HERE: "0",
        }

    def write_properties(self, folder: Path, more: Mapping[str, str] | None = None) -> Path:
        file = folder / "spark.conf"
        properties = {**self.properties, **(more or {})}
        file.write_text("".join(f"{k} {v}\n" for k, v in properties.items()))
        return file

    def name_place(self, folder: Path, more: Mapping[str, str] | None = None) -> list[str]:
        """The options of a command that runs here; its file of properties is in the folder."""
        properties = self.write_properties(folder, more)
        return [
            *("--engine", "spark", "--master", self.master),
            *("--spark-properties", str(properties)),
        ]

    def kill_worker(self) -> None:
        """Kills a worker, with what it runs."""
        end_group(self.workers.pop(0))

    def add_worker(self) -> None:
        """Begins one in its place."""
        self.workers.append(self.start_worker())

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
    folder: Path,
    workers: int = 2,
    environment: Mapping[str, str] | None = None,
    *,
    memory: str = _MEMORY,
    pinned: bool = False,
) -> Iterator[Cluster]:
    """``environment`` is what its machines have in theirs beside what this process has; with
    ``pinned`` each worker, with all that it starts, keeps to one core of its own."""
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

    def start(
        name: str, *arguments: str, cores: Collection[int] | None = None
    ) -> subprocess.Popen[bytes]:
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
        if cores is not None:  # before it starts others, which keep to the same
            os.sched_setaffinity(process.pid, cores)
        started.append(process)
        return process

    try:
        ui = str(find_free_port())
        start(
            "master",
            *(f"{_SPARK}.master.Master", "--host", "127.0.0.1"),
            *("--port", str(port), "--webui-port", ui),
        )
        master = f"spark://127.0.0.1:{port}"
        numbers = count()

        def start_worker() -> subprocess.Popen[bytes]:
            number = next(numbers)
            name = f"worker{number}"
            (folder / name).mkdir()
            cores = sorted(os.sched_getaffinity(0))
            core = {cores[number % len(cores)]} if pinned else None
            return start(
                name,
                *(f"{_SPARK}.worker.Worker", "--host", "127.0.0.1", "--cores", "1"),
                *("--memory", memory, "--work-dir", str(folder / name)),
                *("--webui-port", str(find_free_port()), master),
                cores=core,
            )

        cluster = Cluster(master, write_bare_python(folder), start_worker)
        for _ in range(workers):
            cluster.add_worker()
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


def begin(
    arguments: Sequence[str | Path], more: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Begins a command of Escudo, which can be ended with all that it starts."""
    return subprocess.Popen(
        [sys.executable, "-m", "escudo.cli", *map(str, arguments)],
        env={**ENVIRONMENT, **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(
    *arguments: str | Path, more: Mapping[str, str] | None = None, codes: Collection[int] = (0,)
) -> str:
    """What a command writes that ends with one of some exit codes."""
    process = begin(arguments, more)
    try:
        out, told = process.communicate(timeout=SECONDS)
    finally:
        end_group(process)
    assert process.returncode in codes, told
    return out


def end_group(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Ends a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
