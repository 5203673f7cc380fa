"""Looking at a lake, compacting it, dropping old data."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.lake import Lake, delta, maintenance
from escudo.lake.delta import DataFile
from escudo.lake.maintenance import compact, expire, group_mergeable, info
from escudo.lake.parquet_files import DAY_ROWS, FULL_BYTES
from escudo.lake.vacuum import list_named
from tests.lake.conftest import opened
from tests.lake.handmade import DAY, append, count, model_rows, query, raw_rows

NOW = timedelta(0)
MICRO_DAY = round(DAY * 1e6)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with 30 commits over three days."""
    path = tmp_path_factory.mktemp("filled") / "lake"
    with opened(path) as lake, lake.writer() as writer:
        for n in range(30):
            times = [n * DAY / 10 + k for k in range(10)]
            writer.append_rows("raw_demo", raw_rows(times, f"commit {n}"))
            writer.append_rows("demo_processes", model_rows(times, [f"P{n % 7}.exe", "b.exe"]))
            writer.commit()
    return path


@pytest.fixture
def full(filled: Path, tmp_path: Path) -> Iterator[Lake]:
    """A filled lake of one test alone."""
    with opened(Path(shutil.copytree(filled, tmp_path / "full"))) as lake:
        yield lake


CONTENT = (
    "SELECT _event_id, epoch_us(_time), _raw, Image, epoch_us(_indextime) FROM rows ORDER BY 1"
)


@pytest.mark.slow
def test_info_counts_what_is_committed(full: Lake) -> None:
    found = info(full)
    assert found.commit == 30
    by_name = {t.name: t for t in found.tables}
    raw = by_name["raw_demo"]
    assert (raw.rows, raw.files, raw.earliest, raw.latest) == (300, 30, 0.0, 29 * DAY / 10 + 9)
    assert raw.bytes > 0
    assert by_name["demo_processes"].rows == 300


def test_info_of_an_empty_lake(lake: Lake) -> None:
    assert info(lake).tables == ()


def test_compaction_keeps_the_content_and_the_order(full: Lake) -> None:
    before = query(full, "raw_demo", CONTENT)
    names = "SELECT process_name_lc FROM rows WHERE epoch(_time) < 3600 ORDER BY _event_id"
    named = query(full, "demo_processes", names)
    done = compact(full)
    assert {c.table: (c.files_before, c.files_after, c.rows_dropped) for c in done.changes} == {
        "raw_demo": (30, 1, 0),
        "demo_processes": (30, 1, 0),
    }
    assert query(full, "raw_demo", CONTENT) == before
    assert query(full, "demo_processes", names) == named
    [path] = full.files("demo_processes", ALL_TIME)
    assert count(full, "demo_processes", TimeRange(0, 10)) == 300
    assert info(full).tables[0].earliest == 0.0
    assert path


@pytest.mark.slow
def test_compaction_done_again_changes_nothing(full: Lake) -> None:
    compact(full)
    commit = full.snapshot().commit
    assert compact(full).changes == ()
    assert full.snapshot().commit == commit


@pytest.mark.slow
def test_readers_keep_their_files_for_the_retention_period(full: Lake) -> None:
    reader = full.snapshot()
    compact(full)
    assert count(reader, "raw_demo") == 300
    done = compact(full, retention=NOW)
    assert done.freed > 0
    assert len(list((full.tables_folder.path / "raw_demo").glob("*.parquet"))) == 1
    assert count(full, "raw_demo") == 300


@pytest.mark.slow
def test_a_state_is_kept_from_the_end_of_its_time(full: Lake) -> None:
    """A reader may have opened the last state before compaction a moment before it ended."""
    with full.ledger.exclusive() as transaction:
        transaction._connection.execute("UPDATE commits SET committed = committed - 1e6")
    reader = full.snapshot()
    compact(full)
    compact(full)
    assert count(reader, "raw_demo") == 300


@pytest.mark.slow
def test_expiry_drops_what_is_older_in_all_tables(full: Lake) -> None:
    done = expire(full, 1.5 * DAY + 5)
    assert {c.table: c.rows_dropped for c in done.changes} == {
        "raw_demo": 155,
        "demo_processes": 155,
    }
    assert query(full, "raw_demo", "SELECT count(*), epoch(min(_time)) FROM rows") == [
        (145, 1.5 * DAY + 5)
    ]
    assert count(full, "demo_processes") == 145
    assert expire(full, 1.5 * DAY + 5).changes == ()


@pytest.mark.slow
def test_what_states_have_is_known_without_opening_each(full: Lake) -> None:
    """Commits that add, merge, drop and add again, and one that was not acknowledged."""
    compact(full)
    expire(full, DAY)
    append(full, "raw_demo", raw_rows([3 * DAY]))
    table = full.tables_folder.below("raw_demo")
    lost = DataFile("lost.parquet", 1, 1, 0, 1)
    layout = full.tables.layout("raw_demo").schema
    delta.append(table, layout, [lost], pinned=full.ledger.head().versions["raw_demo"])
    append(full, "raw_demo", raw_rows([4 * DAY]))
    compact(full)
    with full.ledger.exclusive() as transaction:
        commits = transaction.pinned()
    states = [{f.path for f in delta.active_files(table, c.versions["raw_demo"])} for c in commits]
    for begin in (0, 15, len(commits) - 4, len(commits) - 1):
        named = list_named(table, commits[begin:]) - {lost.path}
        assert named == set().union(*states[begin:])


def test_expired_data_leaves_the_disk_after_the_retention_period(full: Lake) -> None:
    reader = full.snapshot()
    assert expire(full, 10 * DAY).freed == 0
    assert count(reader, "raw_demo") == 300
    assert expire(full, 10 * DAY, retention=NOW).freed > 0
    assert not list(full.tables_folder.path.glob("*/*.parquet"))
    assert count(full, "raw_demo") == 0
    append(full, "raw_demo", raw_rows([1.0]))
    assert count(full, "raw_demo") == 1


def test_files_of_a_writer_at_work_stay_and_those_of_a_dead_one_go(full: Lake) -> None:
    folder = full.tables_folder.path / "raw_demo"
    young, old = folder / "young.parquet", folder / "old.parquet"
    for path in (young, old):
        path.write_bytes(b"PAR1")
    os.utime(old, (time.time() - 2 * DAY,) * 2)
    compact(full, retention=NOW)
    assert young.exists()
    assert not old.exists()


@pytest.mark.slow
def test_a_long_log_is_forgotten_up_to_a_checkpoint(full: Lake) -> None:
    log = full.tables_folder.path / "raw_demo" / "_delta_log"
    assert (log / f"{1:020}.json").exists()
    compact(full, retention=NOW)
    compact(full, retention=NOW)
    assert not (log / f"{1:020}.json").exists()
    assert count(full, "raw_demo") == 300
    append(full, "raw_demo", raw_rows([1.0]))
    with Lake.open(full.path, tables=full.tables) as again:
        assert count(again, "raw_demo") == 301


@pytest.mark.slow
def test_maintenance_that_lost_a_race_is_planned_anew(
    full: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process expires the files between the plan and the commit of compaction."""
    plain = maintenance.rewrite
    raced: list[int] = []

    def late(*args: object, **kwargs: object) -> list[DataFile]:
        made: list[DataFile] = plain(*args, **kwargs)  # type: ignore[arg-type]
        if not raced:
            raced.append(1)
            expire(full, 2 * DAY)
        return made

    monkeypatch.setattr(maintenance, "rewrite", late)
    compact(full)
    assert count(full, "raw_demo") == 100
    assert len(full.files("raw_demo", ALL_TIME)) == 1


@pytest.mark.parametrize(
    ("files", "groups"),
    [
        ([], []),
        ([(0, 0, 10, 10)], []),
        ([(0, 0, 10, 10), (0, 0, 10, 10)], [[0, 1]]),
        ([(0, 0, 10, FULL_BYTES), (0, 0, 10, 10)], []),
        ([(0, 0, DAY_ROWS, 10), (1, 1, DAY_ROWS, 10), (0, 0, DAY_ROWS, 10)], [[0, 2]]),
        ([(0, 0, 10, 10), (5, 9, 10, 10), (20, 20, DAY_ROWS, 10)], [[0, 1]]),
        ([(0, 0, 10, FULL_BYTES // 2 - 1)] * 3, [[0, 1]]),
    ],
)
def test_which_files_are_merged(
    files: list[tuple[int, int, int, int]], groups: list[list[int]]
) -> None:
    """Files are (first day, last day, rows, bytes)."""
    described = [
        DataFile(str(n), rows, size, low * MICRO_DAY, high * MICRO_DAY)
        for n, (low, high, rows, size) in enumerate(files)
    ]
    assert [[int(f.path) for f in group] for group in group_mergeable(described)] == groups


def test_sorting_leaves_nothing_behind(full: Lake) -> None:
    compact(full)
    assert sorted(p.name for p in full.path.iterdir()) == ["ledger.sqlite", "tables", "work"]
    assert list((full.path / "work").iterdir()) == []
