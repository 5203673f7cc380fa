"""A lake with handmade tables, for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo.lake import Lake
from tests.lake.handmade import TABLES


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(tmp_path / "lake", tables=TABLES, clock=lambda: 1_000_000.5) as opened:
        yield opened
