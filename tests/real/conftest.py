"""Lakes of all the real logs, made once a run, whichever process needs them first."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from escudo import content
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from tests.shared_data import SHARED

KEPT = os.environ.get("ESCUDO_REAL_LAKES")
"""A folder in which the lakes stay, for the next run; files known to them are not read again."""

LakeOf = Callable[[str], Lake]


@pytest.fixture(scope="session")
def lake_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeOf]:
    """`lake_of("evtx")` -> the lake of all of that folder's logs. Tests do not write to it."""
    assert SHARED is not None
    shared = SHARED
    in_workers = "PYTEST_XDIST_WORKER" in os.environ
    run = tmp_path_factory.getbasetemp()
    place = Path(KEPT) if KEPT else (run.parent if in_workers else run) / "real-lakes"
    place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:

        @cache
        def lake_of(folder: str) -> Lake:
            with (place / f"{folder}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                lake = opened.enter_context(Lake.open(place / folder))
                ingest([shared / folder], lake)
            return lake

        yield lake_of


@pytest.fixture(scope="session")
def upstream() -> content.Content:
    """The upstream detections, over Escudo's own content."""
    assert SHARED is not None
    return content.load([SHARED / "security_content"])
