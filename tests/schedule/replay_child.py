"""A worker as a process of its own, which tests kill: a tick on each line of standard input, what
the worker did on standard output.

``python -m tests.schedule.replay_child LAKE STATE CONTENT...``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import plan_hunt
from escudo.actions.run import prepare_worker, run_once
from escudo.actions.workspace import Workspace
from escudo.cli.schedule_view import describe_step
from escudo.core.disk_cache import DiskCache
from escudo.detect.screening import Screener
from escudo.lake import Lake
from escudo.schedule.clock import SystemClock
from escudo.schedule.database import State


def main() -> None:
    lake_path, place, *paths = sys.argv[1:]
    loaded = content.load([Path(p) for p in paths])
    with Lake.open(lake_path) as lake, State.open(place) as state:
        workspace = Workspace(
            content=loaded,
            lake=lake,
            engine_of=DuckDBEngines(),
            now=0.0,
            screener=Screener(DiskCache(Path(lake_path).parent / "cache"), b"replay"),
        )
        worker = prepare_worker(plan_hunt(loaded), workspace, state).worker
        print("ready", flush=True)
        for line in sys.stdin:
            step = run_once(worker, float(line), clock=SystemClock())
            print(json.dumps(describe_step(step)), flush=True)


if __name__ == "__main__":
    main()
