"""A lake that has something of each kind, and what can be seen of it; for the tests of faults."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.lake.delta import active_files
from escudo.schedule.database import FILE
from tests.lake.logs import write_logs
from tests.program import Server

EVENTS = 12
START = 1_700_000_000.0
"""The time of the first event of the first log; those of the next are an hour later."""

State = dict[str, Any]


DETECTION = "Processes of the Shell"
"""A detection in the folder ``content``; each event is a finding of it."""


def build_lake(server: Server, folder: Path) -> Path:
    """Two logs, read one after the other, events of a search, a lookup, a job and a model; beside
    it a detection."""
    lake = folder / "lake"
    own = files("escudo.content.builtin") / "detections" / "process_execution_via_wmi.yml"
    text = own.read_text("utf-8").replace("WmiPrvSE.exe", "explorer.exe")
    text = text.replace("Process Execution via WMI", DETECTION).replace("24869767-", "24869768-")
    (folder / "content" / "detections").mkdir(parents=True)
    (folder / "content" / "detections" / "processes_of_the_shell.yml").write_text(text)
    for log in write_logs(folder / "logs", 4, EVENTS)[:2]:
        assert server.run("ingest", log, "--lake", lake).code == 0
    for search in (
        "| makeresults count=3 | eval n=1 | collect index=mine",
        "| makeresults count=4 | eval n=1 | table n | outputlookup kept.csv",
        "| makeresults count=20 | streamstats count as n | fit DensityFunction n into kept",
    ):
        done = server.run("search", search, "--lake", lake)
        assert done.code == 0, done.err
    done = server.run("search", "index=* | head 5", "--lake", lake, "--save-job", "kept")
    assert done.code == 0, done.err
    return lake


def _find_artifact(lake: Lake, kind: str, name: str) -> Path:
    found = lake.artifacts.find(kind, name)
    assert found is not None
    return found


def observe(path: Path) -> State:
    """What readers see of a lake: events by their file and table, lookups, models and jobs."""
    state: State = {}
    if not path.exists() or not any(path.iterdir()):
        return state
    with Lake.open(path) as lake:
        snapshot = lake.snapshot()
        for table in snapshot.tables():
            events: Counter[str] = Counter()
            ids: list[int] = []
            for file in snapshot.files(table, ALL_TIME):
                rows = pq.read_table(file, columns=["source_file", "_event_id"])
                events.update(map(str, rows["source_file"].to_pylist()))
                ids += rows["_event_id"].to_pylist()
            if table.startswith("raw_"):
                assert len(ids) == len(set(ids)), f"events of {table} are there twice"
            if events:
                state[table] = dict(events)
        state["known"] = sorted(f.path for f in lake.ledger.files())
        for name, size in lake.artifacts.sizes():
            kind, _, plain = name.partition("/")
            state[name] = (
                size if kind == "models" else _find_artifact(lake, kind, plain).read_bytes()
            )
        for name in ("kept", "new"):
            lake.artifacts.job(name)
    return state


def list_windows(path: Path) -> list[tuple[Any, ...]]:
    """What became of the windows of schedules."""
    if not (path / FILE).exists():
        return []
    query = """SELECT name, due, state, rows, findings, risk_events
               FROM windows JOIN searches ON searches.id = search_id ORDER BY name, due"""
    with closing(sqlite3.connect(path / FILE)) as state:
        return state.execute(query).fetchall()


def find_strays(path: Path) -> list[str]:
    """The files of a lake that nothing in it names: what a process that died has left."""
    named = {"ledger.sqlite", FILE}
    with Lake.open(path) as lake:
        with lake.ledger.exclusive() as transaction:
            pinned = transaction.pinned()
        for commit in pinned:
            for table, version in commit.versions.items():
                active = active_files(lake.tables_folder.below(table), version)
                named |= {f"tables/{table}/{f.path}" for f in active}
        for name, _ in lake.artifacts.sizes():
            kind, _, plain = name.partition("/")
            named.add(str(_find_artifact(lake, kind, plain).relative_to(path)))
    found = (str(f.relative_to(path)) for f in path.rglob("*") if f.is_file())
    kept = ("/_delta_log/", "ledger.sqlite.damaged-")
    return sorted(f for f in found if f not in named and not any(part in f for part in kept))
