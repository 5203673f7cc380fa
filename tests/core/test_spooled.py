"""Large tables go to files that are mapped, and are the same tables."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from escudo.core.spooled import LEAST_BYTES, MOST_HELD, spool, spool_parts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def make_table(rows: int) -> pa.Table:
    maps = pa.array([[("k", "v" * 40)]] * rows, pa.map_(pa.string(), pa.string()))
    lists = pa.array([["a", None], None] * (rows // 2), pa.list_(pa.string()))
    return pa.table({"n": range(rows), "map": maps, "list": lists})


def test_a_large_table_leaves_memory_and_is_the_same(folder: Path) -> None:
    table = make_table(40_000)
    assert table.nbytes > LEAST_BYTES
    before = pa.total_allocated_bytes()
    kept = spool(table)
    assert pa.total_allocated_bytes() - before < table.nbytes / 10
    assert kept.equals(table)
    assert os.listdir(folder) == [], "the file has no name any more"


def test_a_small_table_stays(folder: Path) -> None:
    table = make_table(10)
    assert spool(table) is table


def test_a_full_disk_leaves_the_table_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", fail)
    table = make_table(40_000)
    assert spool(table) is table
    assert os.listdir(folder) == []


def test_parts_leave_memory_as_they_come(folder: Path) -> None:
    part = make_table(40_000)
    count = 3 * MOST_HELD // part.nbytes
    peak = before = pa.total_allocated_bytes()

    def make_parts() -> Iterator[pa.Table]:
        nonlocal peak
        for _ in range(count):
            made = make_table(40_000)
            peak = max(peak, pa.total_allocated_bytes())
            yield made

    kept = spool_parts(make_parts(), part.slice(0, 0))
    assert peak - before < 1.5 * MOST_HELD
    assert kept.equals(pa.concat_tables([part] * count))
    assert os.listdir(folder) == []


def test_no_parts_are_an_empty_table() -> None:
    empty = make_table(0)
    assert spool_parts([], empty) is empty
