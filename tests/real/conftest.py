"""Lakes of all the real logs, made once a run."""

from __future__ import annotations

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
def lake_of() -> Iterator[LakeOf]:
    """`lake_of("evtx")` -> the lake of all of that folder's logs."""
    assert SHARED is not None
    shared = SHARED
    with ExitStack() as opened:

        @cache
        def lake_of(folder: str) -> Lake:
            made = Lake.open(Path(KEPT) / folder) if KEPT else Lake.create_temporary()
            lake = opened.enter_context(made)
            ingest([shared / folder], lake)
            return lake

        yield lake_of


@pytest.fixture(scope="session")
def upstream() -> content.Content:
    """The upstream detections, over Escudo's own content."""
    assert SHARED is not None
    return content.load([SHARED / "security_content"])
