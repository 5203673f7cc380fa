"""A lake with events, and searches over it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from escudo.content import load
from escudo.lake import Lake
from escudo.serve.searches.board import Searches
from escudo.serve.searches.orders import WorkerPlan
from escudo.startup import prepare_process
from tests.serve.conftest import make_users
from tests.serve.events import fill_lake
from tests.serve.running import RunningServer, run_server


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lake with events."""
    folder = tmp_path_factory.mktemp("searched")
    fill_lake(folder / "lake", folder)
    return folder / "lake"


@pytest.fixture(scope="session")
def searches(filled: Path) -> Iterator[Searches]:
    """What runs searches, without a server around it."""
    with Lake.open(filled, create=False) as lake:
        plan = WorkerPlan(
            lake=filled,
            tables=lake.tables,
            knowledge=replace(load([]), kept=()).knowledge,
            prepare=prepare_process,
        )
        with Searches(plan, clock=time.time, size=2) as running:
            yield running


@pytest.fixture(scope="session")
def searching(filled: Path) -> Iterator[RunningServer]:
    """A server over the same lake."""
    with run_server(filled, ["--no-schedule"]) as running:
        make_users(filled)
        yield running
