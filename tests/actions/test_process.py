"""A call of the library leaves the process as it was; the start-up module is what changes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lake.logs import sysmon

pytestmark = pytest.mark.slow

STATE = """
import gc, json, os, signal, sys, warnings
import duckdb, geoip2fast, numpy, polars, pyarrow, sklearn.cluster, sqlglot

def state():
    return {
        "collections": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()],
        "warnings": [str(f) for f in warnings.filters],
        "show": warnings.showwarning.__module__,
        "pool": pyarrow.default_memory_pool().backend_name,
        "threads": [pyarrow.cpu_count(), pyarrow.io_thread_count()],
        "environment": dict(os.environ),
        "signals": [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM)],
        "recursion": sys.getrecursionlimit(),
    }

pyarrow.set_memory_pool(pyarrow.system_memory_pool())
before = state()
"""
"""Libraries set what they like when they are imported (geoip2fast: two variables of the
environment); so they come first. Arrow's own pool may be the one that start-up chooses, so another
one is set."""

REPORT = """
print(json.dumps([before, state()]))
"""

LIBRARY = """
import time
from escudo import content
from escudo.actions.baseline import learn_baselines
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import hunt_logs, plan_hunt
from escudo.actions.ingest import ingest_logs
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.validate import validate_content
from escudo.actions.workspace import Workspace
from escudo.lake import Lake

own = content.load()
with Lake.open(sys.argv[2]) as lake:
    workspace = Workspace(content=own, lake=lake, engine_of=DuckDBEngines(), now=time.time())
    assert ingest_logs([sys.argv[1]], lake).report.read == 50
    for search in ("index=* | stats count", "index=* | eval n=_time % 7 | fit KMeans n k=2 into m"):
        rows = search_lake(search, workspace, SearchOptions(streamed=True))
        assert sum(t.num_rows for t in rows.tables) == (1 if "count" in search else 50)
    assert hunt_logs([sys.argv[1]], workspace, plan_hunt(own)).hunt.matches
"""

COMMAND_LINE = """
from escudo import startup
startup.pause_collections()
startup.prepare_process()
startup.spare_collections()
"""


SET_BY_TESTS = {"PYSPARK_PYTHON", "PYTHONWARNINGS"}
"""What this process has of tests/conftest.py and of geoip2fast, and its children shall not."""


def _run(program: str, *arguments: object) -> tuple[dict[str, object], dict[str, object]]:
    """The state of a process before and after a program."""
    done = subprocess.run(
        [sys.executable, "-c", STATE + program + REPORT, *map(str, arguments)],
        capture_output=True,
        check=True,
        env={k: v for k, v in os.environ.items() if k not in SET_BY_TESTS},
        timeout=300,
    )
    before, after = json.loads(done.stdout)
    return before, after


def test_ingest_search_and_hunt_change_nothing(tmp_path: Path) -> None:
    log = tmp_path / "day.xml"
    log.write_text(sysmon(50))
    before, after = _run(LIBRARY, log, tmp_path / "lake")
    assert after == before


def test_start_up_changes_all_of_it() -> None:
    """So the states compared above can differ."""
    before, after = _run(COMMAND_LINE)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"collections", "warnings", "pool", "environment"}
