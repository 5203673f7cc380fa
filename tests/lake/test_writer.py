"""Appending rows and committing them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake, delta, parquet_files
from escudo.lake.identity import Identity
from escudo.lake.ledger import IngestedFile
from escudo.storage import Folder
from tests.lake.handmade import DAY, RAW, append, count, model_rows, query, raw_rows


def test_rows_are_visible_after_the_commit_and_not_before(lake: Lake) -> None:
    with lake.writer() as writer:
        writer.append_rows("raw_demo", raw_rows([1.0, 2.0]))
        writer.append_rows("demo_processes", model_rows([1.0], ["cmd.exe"]))
        assert count(lake, "raw_demo") == 0
        writer.commit()
        assert count(lake, "raw_demo") == 2
        assert count(lake, "demo_processes") == 1


def test_what_is_not_committed_is_dropped_with_its_files(lake: Lake) -> None:
    with lake.writer() as writer:
        writer.append_rows("raw_demo", raw_rows([1.0]))
        writer._encode("raw_demo")
    assert count(lake, "raw_demo") == 0
    assert not list(lake.tables_folder.path.rglob("*.parquet"))


def test_a_writer_commits_more_than_once(lake: Lake) -> None:
    with lake.writer() as writer:
        for n in range(3):
            writer.append_rows("raw_demo", raw_rows([float(n)]))
            writer.commit()
    assert count(lake, "raw_demo") == 3


def test_missing_columns_are_filled(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([5.0, None]))
    append(lake, "demo_processes", model_rows([5.0], ["CMD.exe"]))
    rows = query(
        lake, "raw_demo", "SELECT epoch(_time), epoch(_indextime), host FROM rows ORDER BY 1"
    )
    assert rows == [(5.0, 1_000_000.5, None), (1_000_000.5, 1_000_000.5, None)]
    assert query(lake, "demo_processes", "SELECT process_name_lc, parent_lc FROM rows") == [
        ("cmd.exe", "explorer.exe")
    ]


def test_event_ids_are_unique_over_writers_and_commits(lake: Lake) -> None:
    with lake.writer() as one, lake.writer() as two:
        for _ in range(3):
            one.append_rows("raw_demo", raw_rows([1.0] * 10))
            two.append_rows("raw_demo", raw_rows([1.0] * 10))
            one.commit()
            two.commit()
    assert query(lake, "raw_demo", "SELECT count(*), count(DISTINCT _event_id) FROM rows") == [
        (60, 60)
    ]


def test_model_rows_are_sorted_by_hour_and_names_in_small_row_groups(lake: Lake) -> None:
    times = [float(n) for n in range(50_000)]
    append(lake, "demo_processes", model_rows(times, ["b.exe", "A.exe", "c.exe"]))
    [path] = lake.files("demo_processes", ALL_TIME)
    file = pq.ParquetFile(path)
    assert file.metadata.num_row_groups == 3
    names = file.read(["_time", "process_name_lc"]).to_pydict()
    keys = [
        (int(t.timestamp()) // 3600, n)
        for t, n in zip(names["_time"], names["process_name_lc"], strict=True)
    ]
    assert keys == sorted(keys)


def test_files_hold_statistics_only_where_they_prune(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([1.0, 2.0]))
    [path] = lake.files("raw_demo", ALL_TIME)
    group = pq.ParquetFile(path).metadata.row_group(0)
    found = {
        group.column(n).path_in_schema: group.column(n).is_stats_set
        for n in range(group.num_columns)
    }
    assert found["_time"]
    assert not found["_raw"]


@pytest.mark.parametrize(
    ("table", "rows", "message"),
    [
        ("raw_unknown", raw_rows([1.0]), "no schema names a table raw_unknown"),
        ("raw_demo", raw_rows([1.0]).append_column("x", [["y"]]), "has no column x"),
        (
            "raw_demo",
            pa.table({"_time": pa.array(["noon"])}),
            "column _time",
        ),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    lake: Lake, table: str, rows: pa.Table, message: str
) -> None:
    with lake.writer() as writer, pytest.raises(EscudoError, match=message) as caught:
        writer.append_rows(table, rows)
    assert caught.value.code == "LAK008"


def test_a_file_that_another_commit_holds_is_refused_unless_meant(lake: Lake) -> None:
    file = IngestedFile(Identity(3, "abc"), "a.log", 1, 0, 7.0)
    with lake.writer() as writer:
        writer.append_rows("raw_demo", raw_rows([1.0]))
        writer.commit([file])
        writer.append_rows("raw_demo", raw_rows([1.0]))
        with pytest.raises(EscudoError) as caught:
            writer.commit([file])
        assert caught.value.code == "LAK009"
        assert count(lake, "raw_demo") == 1
        writer.append_rows("raw_demo", raw_rows([1.0]))
        writer.commit([file], again=True)
    assert count(lake, "raw_demo") == 2
    assert [f.path for f in lake.ledger.files()] == ["a.log", "a.log"]


def test_rows_derived_from_an_old_state_are_refused(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([1.0]))
    seen = lake.snapshot()
    append(lake, "demo_processes", model_rows([1.0], ["a.exe"]))
    with lake.writer() as writer:
        writer.append_rows("raw_demo", raw_rows([2.0]))
        writer.commit(since=seen)
        writer.append_rows("raw_demo", raw_rows([2.0]))
        with pytest.raises(EscudoError, match="raw_demo was written to") as caught:
            writer.commit(since=seen)
    assert caught.value.code == "LAK012"
    assert count(lake, "raw_demo") == 2


def test_a_full_disk_is_an_error_of_its_own(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    append(lake, "raw_demo", raw_rows([1.0]))
    monkeypatch.setattr(parquet_files.ParquetFiles, "write", full)
    with pytest.raises(EscudoError, match="No space left") as caught:
        append(lake, "raw_demo", raw_rows([1.0]))
    assert caught.value.code == "LAK013"
    assert count(lake, "raw_demo") == 1


def test_a_file_that_does_not_reach_the_disk_is_not_acknowledged(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two files is synced while the second one is written."""
    append(lake, "raw_demo", raw_rows([1.0]))
    kept = set(lake.tables_folder.path.rglob("*.parquet"))
    failed: list[Path] = []

    def sync(path: Path) -> None:
        if not failed:
            failed.append(path)
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(parquet_files, "sync", sync)
    monkeypatch.setattr(parquet_files, "FULL_BYTES", 1)
    with lake.writer() as writer:
        for time in (2.0, 3.0):
            writer.append_rows("raw_demo", raw_rows([time]))
            writer._encode("raw_demo")
        with pytest.raises(EscudoError, match="Input/output") as caught:
            writer.commit()
    assert caught.value.code == "LAK013"
    assert count(lake, "raw_demo") == 1
    assert set(lake.tables_folder.path.rglob("*.parquet")) == kept


def test_a_table_that_ran_ahead_of_the_ledger_is_restored_by_the_next_writer(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([1.0]))
    table = lake.tables_folder.path / "raw_demo"
    part = table / "ahead.parquet"
    pq.write_table(raw_rows([2.0]), part)
    ahead = delta.DataFile(part.name, 1, os.path.getsize(part), 2_000_000, 2_000_000)
    pinned = lake.snapshot().commit.versions["raw_demo"]
    delta.append(Folder(table), RAW.arrow(), [ahead], pinned=pinned)
    assert count(lake, "raw_demo") == 1
    append(lake, "raw_demo", raw_rows([3.0]))
    assert sorted(query(lake, "raw_demo", "SELECT epoch(_time) FROM rows")) == [(1.0,), (3.0,)]


def test_a_table_made_before_a_crash_is_taken_over(lake: Lake) -> None:
    table = lake.tables_folder.path / "raw_demo"
    table.mkdir(parents=True)
    part = table / "ahead.parquet"
    pq.write_table(raw_rows([2.0]), part)
    ahead = delta.DataFile(part.name, 1, os.path.getsize(part), 2_000_000, 2_000_000)
    delta.append(Folder(table), RAW.arrow(), [ahead], pinned=None)
    append(lake, "raw_demo", raw_rows([3.0]))
    assert query(lake, "raw_demo", "SELECT epoch(_time) FROM rows") == [(3.0,)]


def test_new_columns_of_a_schema_are_added_to_the_table(lake: Lake) -> None:
    old = RAW.arrow().remove(RAW.arrow().get_field_index("Image"))
    with lake.ledger.exclusive() as transaction:
        version = delta.append(lake.tables_folder.below("raw_demo"), old, [], pinned=None)
        transaction.record("append", {"raw_demo": version})
    append(lake, "raw_demo", raw_rows([3.0]))
    assert query(lake, "raw_demo", "SELECT Image FROM rows") == [("C:\\a.exe",)]


@pytest.mark.slow
def test_many_commits_make_checkpoints(lake: Lake) -> None:
    with lake.writer() as writer:
        for n in range(delta.CHECKPOINT_EVERY + 1):
            writer.append_rows("raw_demo", raw_rows([n * DAY]))
            writer.commit()
    log = lake.tables_folder.path / "raw_demo" / "_delta_log"
    assert list(log.glob("*.checkpoint.parquet"))
    assert count(lake, "raw_demo") == delta.CHECKPOINT_EVERY + 1


def test_days_go_to_files_of_their_own_unless_they_are_small(lake: Lake) -> None:
    many = [n / 1000 for n in range(30_000)]
    append(lake, "raw_demo", raw_rows([*many, *(DAY + t for t in many)]))
    assert len(lake.files("raw_demo", ALL_TIME)) == 2
    append(lake, "raw_demo", raw_rows([n * DAY for n in range(400)]))
    assert len(lake.files("raw_demo", ALL_TIME)) == 3


def test_a_temporary_lake_is_gone_after_closing() -> None:
    with Lake.create_temporary() as lake:
        folder = lake.path
        assert folder.is_dir()
    assert not Path(folder).exists()
