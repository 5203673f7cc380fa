"""Files elsewhere that are read in pieces, of which the user's cache keeps what was read."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escudo.engines.duckdb import connect
from escudo.engines.duckdb.connection import confine
from escudo.engines.duckdb.remote_files import provide
from escudo.storage import find_size, open_storage
from escudo.storage.block_cache import BlockCache
from escudo.storage.reading import BLOCK_BYTES, END_BYTES, RemoteFile
from tests.storage import s3
from tests.storage.proxy import Faults, stand_before

URL = f"s3://{s3.BUCKET}/reading"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    pytest.importorskip("moto", reason="moto is not installed")
    with s3.serve() as found:
        yield found


@pytest.fixture
def requests(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What the server is asked for; the cache is the test's."""
    faults = Faults()
    with stand_before(endpoint, faults) as proxy:
        for name, value in s3.make_environment(proxy).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("ESCUDO_CACHE", str(tmp_path / "cache"))
        yield faults.seen


def put(name: str, content: bytes) -> str:
    open_storage(URL).write(name, content)
    return f"{URL}/{name}"


def test_any_piece_is_what_was_written(requests: list[str]) -> None:
    chance = random.Random(1)
    content = chance.randbytes(3 * BLOCK_BYTES + 12_345)
    place = put("pieces.bin", content)
    file = RemoteFile(place)
    edges = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(content) - END_BYTES]
    edges += [len(content) - END_BYTES - 1, len(content) - 1, len(content)]
    for start in edges:
        for end in edges:
            file.seek(start)
            assert file.read(max(0, end - start)) == content[start : max(start, end)]
    for _ in range(100):
        start, size = chance.randrange(len(content)), chance.randrange(2 * BLOCK_BYTES)
        file.seek(start)
        assert file.read(size) == content[start : start + size]
    file.seek(-5, os.SEEK_END)
    assert file.read() == content[-5:]
    assert find_size(place) == len(content)


def test_each_block_is_asked_for_once(requests: list[str]) -> None:
    content = os.urandom(3 * BLOCK_BYTES)
    place = put("once.bin", content)
    requests.clear()
    assert RemoteFile(place).read() == content
    assert len(requests) == 2  # its end, and all blocks together
    assert RemoteFile(place).read() == content
    assert len(requests) == 2


def test_duckdb_reads_the_columns_and_row_groups_that_it_needs(requests: list[str]) -> None:
    """No extension: and of 40 row groups of some 300 kB one is asked for."""
    rows = 400_000
    table = pa.table({"n": range(rows), "t": [os.urandom(8).hex() for _ in range(rows)]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=10_000, compression="none")
    place = put("groups.parquet", sink.getvalue().to_pybytes())
    connection = connect(threads=2)
    provide(connection, [place])
    requests.clear()
    query = f"SELECT count(t), max(n) FROM read_parquet('{place}') WHERE n >= 123456 AND n < 123460"
    assert connection.execute(query).fetchone() == (4, 123459)
    assert 2 <= len(requests) <= 4
    assert connection.execute(
        "SELECT count(*) FROM duckdb_extensions() WHERE loaded AND extension_name = 'httpfs'"
    ).fetchone() == (0,)


def test_a_confined_connection_reads_below_its_lake_alone(requests: list[str]) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": [1]}), sink)
    content = sink.getvalue().to_pybytes()
    mine, other = put("lake/tables/a.parquet", content), put("other/b.parquet", content)
    connection = connect(threads=1)
    confine(connection, [f"{URL}/lake/tables"])
    provide(connection, [mine])
    assert connection.execute(f"SELECT n FROM read_parquet('{mine}')").fetchall() == [(1,)]
    for place in (other, f"{URL}/lake/tables/../../other/b.parquet"):
        with pytest.raises(duckdb.Error):
            connection.execute(f"SELECT n FROM read_parquet('{place}')")
    with pytest.raises(duckdb.Error):
        connection.execute(f"COPY (SELECT 1) TO '{URL}/lake/tables/c.parquet'")


def test_the_cache_has_a_limit_and_what_was_used_last_stays(tmp_path: Path) -> None:
    cache = BlockCache(tmp_path / "blocks", 1_000_000)
    for number in range(40):
        cache.keep("file", str(number), os.urandom(50_000))
        for path in (tmp_path / "blocks").rglob(f"*-{number}"):
            os.utime(path, (number, number))
    held = sum(path.stat().st_size for path in (tmp_path / "blocks").rglob("*-*"))
    assert held <= 1_200_000
    assert cache.find("file", "0") is None
    assert cache.find("file", "39") is not None


def test_a_damaged_block_is_not_believed(tmp_path: Path) -> None:
    cache = BlockCache(tmp_path / "blocks", 1_000_000)
    cache.keep("file", "0", b"content")
    (path,) = (tmp_path / "blocks").rglob("*-0")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert cache.find("file", "0") is None
    assert not path.exists()


def test_without_a_folder_nothing_is_kept() -> None:
    cache = BlockCache(None, 1_000_000)
    cache.keep("file", "0", b"content")
    assert cache.find("file", "0") is None
