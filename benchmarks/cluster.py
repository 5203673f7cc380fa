"""``python -m benchmarks cluster``: what a second worker of a Spark cluster gains, and what a
search costs there that one machine holds.

The cluster is a standalone one on this machine. Each worker, with all that it starts, may use one
core, its own: an ingest has several threads, which would take a second core otherwise. The driver
shares these cores. The lake is a folder.

Beside the clock there is the processor time of the worker that has most of it, which is what the
clock would say on cores that do nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from threading import Event, Thread

import click
from tests.engines.spark.cluster import Cluster, start_cluster

from benchmarks import report
from benchmarks.hunting import pick_content
from benchmarks.inputs import SEED, cache, shared
from escudo.actions.engines import DuckDBEngines, SparkEngines
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.content import load
from escudo.engines.spark.place import READ_HERE, SparkPlace
from escudo.generate.generate import generate
from escudo.lake import Lake

SCALING, BESIDE_DUCKDB = 0.62, 3.0
"""What is promised: the share of the time that two workers take, and a search's ratio to DuckDB."""
PART_EVENTS = 250_000
"""Events of a log."""
SEARCHES: Mapping[str, str] = {
    "events by source and code": "index=* | stats count by sourcetype EventCode",
    "programs by host": "| tstats count from datamodel=Endpoint.Processes by Processes.dest "
    "Processes.process_name",
    "children of WMI": "| tstats count min(_time) from datamodel=Endpoint.Processes where "
    "Processes.parent_process_name=wmiprvse.exe by Processes.dest Processes.process",
}
_REPEATS = 3
_MEMORY = {"worker": "2g", "spark.executor.memory": "1500m"}


@dataclass(frozen=True)
class Times:
    """Seconds of a command: by the clock, and of the processor, for the worker that has most of
    it and for the driver."""

    clock: float
    worker: float
    driver: float


class CpuMeter:
    """Processor seconds of sessions of processes, looked at twice a second."""

    def __init__(self, leaders: Sequence[int]) -> None:
        self._leaders = leaders
        self._first = self._look()
        self._seen: dict[tuple[int, int], float] = {}
        self._ended = Event()
        self._thread = Thread(target=self._follow, daemon=True)
        self._thread.start()

    def end(self) -> list[float]:
        """The seconds of each session since the beginning."""
        self._ended.set()
        self._thread.join()
        return [
            sum(s - self._first.get(key, 0.0) for key, s in self._seen.items() if key[0] == leader)
            for leader in self._leaders
        ]

    def _follow(self) -> None:
        while True:
            last = self._ended.wait(0.5)
            self._seen.update(self._look())
            if last:
                return

    def _look(self) -> dict[tuple[int, int], float]:
        found = {}
        tick = os.sysconf("SC_CLK_TCK")
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                session, used = int(fields[3]), int(fields[11]) + int(fields[12])
                if session in self._leaders:
                    found[session, int(stat.parent.name)] = used / tick
        return found


@click.command()
@click.option("--events", default=20_000_000, show_default=True, help="Generated events.")
@click.option("--detections", default=300, show_default=True, help="Detections of the hunt.")
@click.option("--write/--no-write", default=True, help="Whether README.md is changed.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where lakes are [default: the system's folder for temporary files].",
)
def main(events: int, detections: int, write: bool, work: Path | None) -> None:
    """Measure one worker, two workers, and searches beside DuckDB."""
    upstream = shared("security_content")
    if upstream is None:
        raise click.ClickException("upstream's content is not there (ESCUDO_SHARED_DATA)")
    logs = make_logs(events)
    folder = Path(tempfile.mkdtemp(prefix="escudo-bench-", dir=work))
    try:
        content = pick_content(folder, upstream, detections, None)
        times: list[dict[str, Times]] = []
        for workers in (1, 2):
            place = folder / f"cluster{workers}"
            place.mkdir()
            with _start(place, workers) as cluster:
                times.append(measure(cluster, place, logs, content))
                click.echo(f"cluster: {times[-1]}", err=True)
                if workers == 2:
                    searches = measure_searches(cluster, place)
            if workers == 1:
                shutil.rmtree(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = write_table(events, detections, times, searches)
    click.echo(text)
    if write:
        report.write("cluster", text)


def make_logs(events: int) -> list[Path]:
    """Generated logs with so many events together; made once."""
    logs = []
    for number in range(max(1, events // PART_EVENTS)):
        path = cache() / f"cluster-{min(events, PART_EVENTS)}-{SEED + number}.xml"
        if not path.exists():
            partial = path.with_suffix(".partial")
            generate(min(events, PART_EVENTS), SEED + number, "xml", partial)
            partial.rename(path)
        logs.append(path)
    return logs


@contextmanager
def _start(folder: Path, workers: int) -> Iterator[Cluster]:
    with start_cluster(folder, workers, memory=_MEMORY["worker"], pinned=True) as cluster:
        yield cluster


def measure(
    cluster: Cluster, folder: Path, logs: Sequence[Path], content: Path
) -> dict[str, Times]:
    """An ingest and a hunt, each a command with its start."""
    executor = {"spark.executor.memory": _MEMORY["spark.executor.memory"]}
    place = ["--lake", str(folder / "lake"), *cluster.name_place(folder, executor)]
    ingest = _run(cluster, ["ingest", *map(str, logs), "--quiet", *place])
    copy = folder / "hunted"
    shutil.copytree(folder / "lake", copy, copy_function=os.link)
    # The ledger is written to, so it is a file of its own.
    for file in copy.glob("ledger*"):
        file.unlink()
        shutil.copy2(folder / "lake" / file.name, file)
    place[1] = str(copy)
    hunt = _run(cluster, ["hunt", "--quiet", "--content", str(content), *place])
    return {"ingest": ingest, "hunt": hunt}


def _run(cluster: Cluster, command: Sequence[str]) -> Times:
    environment = {**os.environ, "ESCUDO_CONFIG": "", "ESCUDO_CACHE": ""}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "escudo.cli", *command, "--format", "json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    meter = CpuMeter([process.pid, *(worker.pid for worker in cluster.workers)])
    out, told = process.communicate()
    clock = time.perf_counter() - begun
    driver, *workers = meter.end()
    if process.returncode not in (0, 1):
        raise click.ClickException(told[-4000:])
    json.loads(out)
    return Times(clock, max(workers), driver)


@dataclass(frozen=True)
class SearchTimes:
    """Seconds of a search: as the command runs it on the cluster; of Spark's workers alone; of
    DuckDB in this process."""

    chosen: float
    workers: float
    duckdb: float


def measure_searches(cluster: Cluster, folder: Path) -> dict[str, SearchTimes]:
    """Each search warm, the cluster's session shared."""
    properties = {**cluster.properties, "spark.executor.memory": "1500m"}
    del properties[READ_HERE]
    spark = SparkEngines(SparkPlace(cluster.master, properties))
    workers = SparkEngines(SparkPlace(cluster.master, {**properties, READ_HERE: "0"}))
    found: dict[str, SearchTimes] = {}
    with Lake.open(folder / "lake") as lake:
        space = Workspace(content=load(), lake=lake, engine_of=spark, now=time.time())
        for name, text in SEARCHES.items():
            chosen, alone, here = (
                _time(text, replace(space, engine_of=engine))
                for engine in (spark, workers, DuckDBEngines())
            )
            found[name] = SearchTimes(chosen, alone, here)
    return found


def _time(text: str, space: Workspace) -> float:
    """The median of some runs after one that is not counted."""
    seconds = []
    for _ in range(1 + _REPEATS):
        begun = time.perf_counter()
        sum(table.num_rows for table in search_lake(text, space, SearchOptions()).tables)
        seconds.append(time.perf_counter() - begun)
    return median(seconds[1:])


def write_table(
    events: int,
    detections: int,
    times: Sequence[Mapping[str, Times]],
    searches: Mapping[str, SearchTimes],
) -> str:
    """What was measured, in Markdown."""
    one, two = times
    lines = [
        "### A second worker of a Spark cluster",
        "",
        f"{events:,} generated Sysmon and Security events; each worker has one core, which the "
        "driver shares. Seconds of whole commands; CPU s are those of the worker that has most.",
        "",
        "| | one worker | two workers | ratio | one, CPU s | two, CPU s | ratio | driver, CPU s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, label in (("ingest", "ingest"), ("hunt", f"hunt of {detections} detections")):
        first, second = one[name], two[name]
        lines.append(
            f"| {label} | {first.clock:.1f} | {second.clock:.1f} "
            f"| {second.clock / first.clock:.2f} | {first.worker:.1f} | {second.worker:.1f} "
            f"| {second.worker / first.worker:.2f} | {second.driver:.1f} |"
        )
    over = [name for name in one if two[name].clock / one[name].clock > SCALING]
    lines += ["", _judge(f"at most {SCALING:g} of the time with two", over)]
    lines += [
        "",
        "A search that reads little is run in the driver's process (`spark.escudo.readHere`): that "
        "is what the promise is of. What Spark's workers take for it is beside it.",
        "",
        "| search, warm, s | `--engine spark` | workers | DuckDB here | ratio | of the workers |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, took in searches.items():
        lines.append(
            f"| {name} | {took.chosen:.2f} | {took.workers:.2f} | {took.duckdb:.2f} "
            f"| {took.chosen / took.duckdb:.1f} | {took.workers / took.duckdb:.1f} |"
        )
    over = [name for name, took in searches.items() if took.chosen / took.duckdb > BESIDE_DUCKDB]
    lines += ["", _judge(f"at most {BESIDE_DUCKDB:g} times DuckDB's", over)]
    return "\n".join([*lines, "", report.measured(1)])


def _judge(promise: str, over: Sequence[str]) -> str:
    verdict = f"NOT kept by {', '.join(over)}" if over else "kept"
    return f"Promise: {promise}: {verdict}."


if __name__ == "__main__":
    main()
