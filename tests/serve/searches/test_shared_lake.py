"""Searches of users, in processes that may read nothing but the lake, over one in a bucket."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import pytest

from escudo.content import load
from escudo.lake import Lake
from escudo.lake.copying import copy_lake
from escudo.lake.place import SharedLake
from escudo.serve.accounts.principal import Principal
from escudo.serve.searches.board import Searches
from escudo.serve.searches.job import JobState, SearchRequest
from escudo.serve.searches.orders import WorkerPlan
from escudo.serve.searches.results import cut_page
from escudo.startup import prepare_process
from tests.serve.events import EVENTS
from tests.storage import s3

pytestmark = pytest.mark.slow

ADMIN = Principal("root", ("admin",))


@pytest.fixture
def shared_searches(filled: Path, tmp_path: Path) -> Iterator[Searches]:
    """What runs searches over a copy of the lake in S3."""
    with s3.serve() as endpoint, pytest.MonkeyPatch.context() as patched:
        for name, value in s3.make_environment(endpoint).items():
            patched.setitem(os.environ, name, value)
        patched.setitem(os.environ, "ESCUDO_CACHE", str(tmp_path / "cache"))
        place = SharedLake(f"s3://{s3.BUCKET}/lake", str(tmp_path / "ledger.sqlite"))
        with Lake.open(filled, create=False) as lake, Lake.open(place) as copy:
            copy_lake(lake, copy)
            plan = WorkerPlan(
                lake=place,
                tables=copy.tables,
                knowledge=replace(load([]), kept=()).knowledge,
                prepare=prepare_process,
            )
        begin_anew(patched)
        with Searches(plan, clock=time.time, size=1) as running:
            yield running


def begin_anew(patched: pytest.MonkeyPatch) -> None:
    """Search processes have the environment of when the first of them was begun, here that of
    another test: these come of another server of forks. The other one is not waited for, since any
    process that was begun meanwhile may keep it alive."""
    fresh = forkserver.ForkServer()
    patched.setattr(forkserver, "_forkserver", fresh)
    for name in ("ensure_running", "connect_to_new_process", "set_forkserver_preload"):
        patched.setattr(forkserver, name, getattr(fresh, name))


def test_a_user_searches_a_bucket(shared_searches: Searches) -> None:
    request = SearchRequest(search="index=windows | stats count")
    job = shared_searches.start(request, ADMIN)
    assert job.wait(120), job.state
    assert job.state is JobState.DONE, job.messages
    assert cut_page(job.parts, 0, 10).to_pylist() == [{"count": EVENTS}]
