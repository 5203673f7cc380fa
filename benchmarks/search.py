"""The WMI detection over a large lake, and the same by hand in DuckDB SQL on the same files."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.inputs import SEED, cache
from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.execute import run_search
from escudo.generate.generate import generate
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.ledger import FORMAT
from escudo.lake.maintenance import compact

DETECTION = "Process Execution via WMI"
TABLE = "endpoint_processes"
_SHARE_OF_PROCESSES = 0.56
_REPEATS = 5

_BY_HAND = """
SELECT dest, "user", parent_process, process_name, process, process_id, parent_process_id,
  count(*) AS count,
  strftime(min(_time), '%Y-%m-%dT%H:%M:%S') AS firstTime,
  strftime(max(_time), '%Y-%m-%dT%H:%M:%S') AS lastTime
FROM read_parquet({files})
WHERE parent_process_name_lc = 'wmiprvse.exe'
  AND NOT process ILIKE '%\\dismhost.exe%'
GROUP BY ALL
"""


def large_lake(rows: int) -> Path:
    """A lake with so many process rows: made once, from a pipe, and compacted."""
    path = cache() / f"lake{FORMAT}-{rows}-{SEED}"
    if not path.exists():
        partial = path.with_name(path.name + ".partial")
        events = round(rows / _SHARE_OF_PROCESSES)
        read_end, write_end = os.pipe()

        def feed() -> None:
            with open(write_end, "wb") as out:
                generate(events, SEED, "xml", out)

        feeder = threading.Thread(target=feed)
        feeder.start()
        with Lake.open(partial) as lake, open(read_end, "rb") as log:
            ingest(["-"], lake, stdin=log)
            compact(lake)
        feeder.join()
        partial.rename(path)
    return path


def escudo_search(folder: Path, *, lake: str) -> dict[str, Any]:
    """Compile and run the detection as it stands. The median of five, after one to warm up."""
    loaded = content.load([])
    (detection,) = [d for d in loaded.detections if d.name == DETECTION]
    with Lake.open(lake, create=False) as opened:
        engine = DuckDBEngine(opened, connect())

        def search() -> int:
            snapshot = opened.snapshot()
            found = run_search(
                detection.search,
                engine.over(snapshot),
                snapshot,
                loaded.knowledge,
                now=time.time(),
            )
            return int(found.table.num_rows)

        return _median(search)


def by_hand(folder: Path, *, lake: str) -> dict[str, Any]:
    """The SQL that somebody who knows the table would write. Planning is part of the time."""
    with Lake.open(lake, create=False) as opened:
        files = list(opened.files(TABLE, ALL_TIME))
    query = _BY_HAND.format(files=files)
    with duckdb.connect() as connection:

        def search() -> int:
            return int(connection.sql(query).to_arrow_table().num_rows)

        return _median(search)


def _median(search: Callable[[], int]) -> dict[str, Any]:
    rows = search()
    seconds, cpu = [], []
    for _ in range(_REPEATS):
        begun, used = time.perf_counter(), time.process_time()
        search()
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return {"rows": rows, "seconds": median(seconds), "cpu": median(cpu)}
