"""``escudo hunt`` through its command line: small logs, real logs, large lakes, few detections and
many."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.search import DETECTION, TABLE, large_lake
from escudo.actions.engines import DuckDBEngines
from escudo.content import load as load_content
from escudo.core.timerange import ALL_TIME
from escudo.detect.screening import Screener
from escudo.lake import Lake

SMALL_FILES = 14
SCANS = 30
"""Bare scans of the command line that all detections of processes are compared with."""


def hunt(
    folder: Path,
    *,
    logs: str | None = None,
    smallest: int | None = None,
    rows: int | None = None,
    content: str,
    detections: int | None = None,
    only: str | None = None,
    alone: bool = False,
    warm: bool = False,
) -> dict[str, Any]:
    """One hunt in a process of its own, all of it counted: start, content, ingest, detections.

    Args:
        logs: what is read; or else ``rows``, process rows of a large lake that is hunted.
        smallest: only so many of the smallest files of ``logs``.
        detections: only the first so many of the content.
        only: only detections whose file has this text.
        alone: the detection of WMI alone.
        warm: what a hunt before this one kept may be used.
    """
    command = [sys.executable, "-m", "escudo.cli", "hunt", "--format", "jsonl", "--quiet"]
    if logs is not None:
        command.append(logs if smallest is None else str(_pick_smallest(folder, logs, smallest)))
    chosen = Path(content)
    if detections is not None or only is not None:
        chosen = pick_content(folder, chosen, detections, only)
    command += ["--content", str(chosen)]
    if alone:
        command += ["--detection", DETECTION]
    environment = {**os.environ, "ESCUDO_CACHE": str(folder / "cache")}
    for number in range(1 + warm):
        lake = [] if rows is None else ["--lake", str(copy_lake(folder, rows, number))]
        report = folder / "report.json"
        measured = _run([*command, *lake, "--report", str(report)], environment)
    ran = json.loads(report.read_text("utf-8"))["detections"]["run"]
    return {**measured, "details": {"detections": ran}}


def scan_command_lines(folder: Path, *, rows: int) -> dict[str, Any]:
    """Bare scans of the command line over the same lake, one word each, warm."""
    with Lake.open(large_lake(rows)) as lake:
        paths = lake.snapshot().files(TABLE, ALL_TIME)
    connection = duckdb.connect()
    query = "SELECT count(*) FROM read_parquet($files) WHERE contains(process, $word)"
    begun, used = time.perf_counter(), time.process_time()
    for number in range(SCANS):
        connection.execute(query, {"files": list(paths), "word": f"word{number}"}).fetchall()
    return {
        "rows": SCANS,
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - used,
    }


def count_needs(folder: Path, *, rows: int, content: str, only: str) -> dict[str, Any]:
    """What detections need of the same lake, counted for all of them at once, warm: what they need
    is known, and all of it is asked. Nothing is found, judged, or written."""
    loaded = load_content([pick_content(folder, Path(content), None, only)])
    detections = [d for d in loaded.detections if d.enabled and d.type != "Correlation"]
    with Lake.open(large_lake(rows)) as lake:
        catalog = lake.snapshot()
        engine = DuckDBEngines()(catalog)
        screener = Screener()
        for _ in range(2):
            begun, used = time.perf_counter(), time.process_time()
            screened = screener.screen(
                detections, catalog, engine, loaded.knowledge, within=ALL_TIME, now=time.time()
            )
            seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    assert screened.counts is not None
    left = sum(out is None for out in screened.ruled_out)
    details = {"detections": len(detections), "needs": len(screened.counts), "left": left}
    return {"rows": len(screened.counts), "seconds": seconds, "cpu": cpu, "details": details}


def _run(command: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    begun, used = time.perf_counter(), _children()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds, cpu = time.perf_counter() - begun, _children() - used
    if done.returncode not in (0, 1, 3):  # part of the input, or of the content, was refused
        raise RuntimeError(done.stderr[-4000:])
    return {"rows": done.stdout.count("\n"), "seconds": seconds, "cpu": cpu}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pick_smallest(folder: Path, logs: str, count: int) -> Path:
    place = folder / "logs"
    place.mkdir()
    files = sorted(Path(logs).rglob("*.evtx"), key=lambda f: (f.stat().st_size, f.name))
    for file in files[:count]:
        (place / file.name).symlink_to(file)
    return place


def copy_lake(folder: Path, rows: int, number: int) -> Path:
    """The large lake with a ledger of its own, so that findings of one run are not in the next."""
    source, copy = large_lake(rows), folder / f"lake{number}"
    shutil.copytree(source, copy, copy_function=_link)
    return copy


def _link(source: str, target: str) -> None:
    if source.endswith(".parquet"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def pick_content(folder: Path, content: Path, count: int | None, only: str | None) -> Path:
    """A copy of the content (links that lead out of it are not read) with some detections."""
    place = folder / "content"
    shutil.copytree(content, place, ignore=shutil.ignore_patterns("detections", ".*"))
    files = sorted((content / "detections").rglob("*.yml"))
    if only is not None:
        files = [f for f in files if re.search(only, f.read_text("utf-8"))]
    for file in files[:count]:
        kept = place / file.relative_to(content)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, kept)
    return place
