"""A lake with handmade tables, for every test of this folder; and places of shared ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo.lake import Lake
from escudo.lake.place import SharedLake
from tests.lake.handmade import TABLES
from tests.schedule.conftest import database as database
from tests.schedule.conftest import postgres as postgres
from tests.storage import s3

_NUMBERS = itertools.count()


def opened(path: Path) -> Lake:
    """The lake in a folder; its clock stands still."""
    return Lake.open(path, tables=TABLES, clock=lambda: 1_000_000.5)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with opened(tmp_path / "lake") as found:
        yield found


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The endpoint of an S3 server, with an empty bucket."""
    pytest.importorskip("moto", reason="moto is not installed")
    pytest.importorskip("obstore", reason="the extra cloud is not installed")
    with s3.serve() as endpoint:
        yield endpoint


@pytest.fixture
def s3_url(s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A URL of S3 that nothing is at, which the environment leads to; the cache is the test's."""
    for name, value in s3.make_environment(s3_server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ESCUDO_CACHE", str(tmp_path / "cache"))
    return f"s3://{s3.BUCKET}/lake{next(_NUMBERS)}"


@pytest.fixture
def in_bucket(s3_url: str, tmp_path: Path) -> SharedLake:
    """The place of a lake in S3 whose ledger is a file."""
    return SharedLake(s3_url, str(tmp_path / "ledger" / "ledger.sqlite"))


@pytest.fixture
def shared(s3_url: str, database: str) -> SharedLake:
    """The place of a lake in S3 whose ledger is in PostgreSQL."""
    return SharedLake(s3_url, database)
