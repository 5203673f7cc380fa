"""A lake with handmade tables, for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo.lake import Lake
from tests.lake.handmade import TABLES


def opened(path: Path) -> Lake:
    """The lake in a folder; its clock stands still."""
    return Lake.open(path, tables=TABLES, clock=lambda: 1_000_000.5)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with opened(tmp_path / "lake") as found:
        yield found
