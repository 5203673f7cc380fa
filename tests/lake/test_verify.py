"""Damaged files are found and not believed; a lost ledger is made again from the tables."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake, digests
from escudo.lake.ingest import ingest
from escudo.lake.maintenance import compact, delete, expire
from escudo.lake.vacuum import vacuum
from escudo.lake.verify import repair, verify
from tests.lake.logs import write_logs

RAW, MODEL = "raw_sysmon", "endpoint_processes"


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, list[Path]]:
    """A lake of two logs of 30 events, each in files of its own."""
    logs = write_logs(tmp_path / "logs", 2, 30)
    path = tmp_path / "lake"
    with Lake.open(path) as lake:
        for log in logs:
            ingest([log], lake)
    return path, logs


def flip_bit(file: Path, at: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(len(content) * at)] ^= 0x10
    file.write_bytes(content)


def data_files(path: Path, table: str) -> list[Path]:
    with Lake.open(path) as lake:
        return [Path(f) for f in lake.files(table, ALL_TIME)]


@pytest.mark.slow
@pytest.mark.parametrize("at", [0.05, 0.3, 0.6, 0.95])
def test_a_flipped_bit_is_found_by_a_search_and_by_verify(
    at: float, kept: tuple[Path, list[Path]]
) -> None:
    path, logs = kept
    damaged = data_files(path, RAW)[0]
    flip_bit(damaged, at)
    with Lake.open(path) as lake:
        with pytest.raises(EscudoError, match="LAK018"):
            lake.files(RAW, ALL_TIME)
        assert len(lake.files(MODEL, ALL_TIME)) == 2
        found = verify(lake)
    assert [(d.table, d.path, d.cause) for d in found.damaged] == [(RAW, str(damaged), "damaged")]
    assert [(f.path, f.events, f.readable, f.there) for f in found.lost] == [
        (str(logs[0]), 30, 0, True)
    ]


def test_a_sound_lake_is_sound_and_every_file_is_named_after_its_content(
    kept: tuple[Path, list[Path]],
) -> None:
    with Lake.open(kept[0]) as lake:
        found = verify(lake)
    assert (found.files, found.unnamed, found.damaged, found.lost) == (4, 0, (), ())


@pytest.mark.slow
def test_a_missing_file_is_told_and_a_damaged_one_is_not_compacted(
    kept: tuple[Path, list[Path]],
) -> None:
    path, _ = kept
    flip_bit(data_files(path, MODEL)[0], 0.5)
    with Lake.open(path) as lake, pytest.raises(EscudoError, match="LAK018"):
        compact(lake)
    data_files(path, RAW)[1].unlink()
    with Lake.open(path) as lake:
        assert sorted((d.table, d.cause) for d in verify(lake).damaged) == [
            (MODEL, "damaged"),
            (RAW, "missing"),
        ]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_a_ledger_is_made_again(damage: str, kept: tuple[Path, list[Path]]) -> None:
    path, logs = kept
    if damage == "lost":
        (path / "ledger.sqlite").unlink()
    else:
        (path / "ledger.sqlite").write_bytes(b"no database" * 1000)
    done = repair(path)
    assert done.logs == 2
    assert (done.kept is None) == (damage == "lost")
    more = write_logs(path.parent / "more", 3, 30)[2]
    with Lake.open(path) as lake:
        again = ingest([*logs, more], lake)
        assert len(list(again.known())) == 2
        files = lake.files(RAW, ALL_TIME)
        assert len(files) == 3
        assert verify(lake).damaged == ()
        ids = [i for f in files for i in _event_ids(f)]
    assert len(ids) == len(set(ids)) == 90


def _event_ids(file: str) -> list[int]:
    table = pq.read_table(file, columns=["_event_id"])
    ids: list[int] = table["_event_id"].to_pylist()
    return ids


@pytest.mark.slow
def test_a_lake_of_another_version_is_not_repaired(kept: tuple[Path, list[Path]]) -> None:
    with closing(sqlite3.connect(kept[0] / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE lake SET format = 99")
    before = (kept[0] / "ledger.sqlite").read_bytes()
    with pytest.raises(EscudoError, match="LAK004"):
        repair(kept[0])
    assert (kept[0] / "ledger.sqlite").read_bytes() == before


TEARS = {
    "empty": lambda entry: entry.write_bytes(b""),
    "cut": lambda entry: entry.write_bytes(entry.read_bytes()[:-30]),
    "zeros": lambda entry: entry.write_bytes(bytes(entry.stat().st_size)),
}


@pytest.mark.slow
@pytest.mark.parametrize("tear", TEARS.values(), ids=TEARS)
@pytest.mark.parametrize("table", [RAW, MODEL])
@pytest.mark.parametrize("ledger", ["lost", "sound"])
def test_a_torn_last_commit_is_left_out_and_its_log_comes_in_again(
    ledger: str, table: str, tear: Callable[[Path], object], kept: tuple[Path, list[Path]]
) -> None:
    """The second log's commit is torn in one of its two tables."""
    path, logs = kept
    tear(sorted((path / "tables" / table / "_delta_log").glob("*.json"))[-1])
    if ledger == "lost":
        (path / "ledger.sqlite").unlink()
    repair(path)
    with Lake.open(path) as lake:
        assert verify(lake).damaged == ()
        ingest(logs, lake)
        ids = {t: [i for f in lake.files(t, ALL_TIME) for i in _event_ids(f)] for t in (RAW, MODEL)}
    assert len(set(ids[RAW])) == len(ids[RAW]) == 60
    if table == RAW:
        assert sorted(ids[MODEL]) == sorted(ids[RAW])
    with pytest.raises(EscudoError, match="LAK019"):
        repair(path)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["expire", "delete"])
def test_events_that_were_taken_out_on_purpose_are_not_lost(
    how: str, kept: tuple[Path, list[Path]]
) -> None:
    path, logs = kept
    with Lake.open(path) as lake:
        if how == "expire":
            expire(lake, 1_700_000_010.0)  # ten of the first log's thirty
        else:
            delete(lake, _event_ids(lake.files(RAW, ALL_TIME)[0])[:10])
        assert verify(lake).lost == ()
        damaged = Path(lake.files(RAW, ALL_TIME)[1])
    flip_bit(damaged, 0.5)
    with Lake.open(path) as lake:
        found = verify(lake)
    assert [d.path for d in found.damaged] == [str(damaged)]
    assert [f.path for f in found.lost] == [str(logs[1])]


def test_a_sound_ledger_is_left_alone(kept: tuple[Path, list[Path]]) -> None:
    with pytest.raises(EscudoError, match="LAK019"):
        repair(kept[0])


@pytest.mark.slow
def test_a_table_whose_log_is_gone_is_told(kept: tuple[Path, list[Path]]) -> None:
    shutil.rmtree(kept[0] / "tables" / RAW / "_delta_log")
    with Lake.open(kept[0]) as lake:
        with pytest.raises(EscudoError, match="LAK006"):
            lake.files(RAW, ALL_TIME)
        assert [d.table for d in verify(lake).damaged] == [RAW]


@pytest.mark.slow
def test_a_file_is_read_for_its_digest_once_and_again_when_it_was_written(
    kept: tuple[Path, list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = kept
    files = data_files(path, RAW)
    with monkeypatch.context() as patched:
        patched.setattr(digests, "is_intact", lambda file: pytest.fail(f"{file} is read again"))
        assert data_files(path, RAW) == files
    flip_bit(files[1], 0.5)
    with Lake.open(path) as lake, pytest.raises(EscudoError, match="LAK018"):
        lake.files(RAW, ALL_TIME)


@pytest.mark.slow
def test_notes_of_files_that_are_gone_are_taken_out(kept: tuple[Path, list[Path]]) -> None:
    path, _ = kept
    files = data_files(path, RAW)
    with Lake.open(path) as lake:
        compact(lake, retention=timedelta(0))
        vacuum(lake.tables_folder, lake.ledger, timedelta(0))
        noted = "".join(lake.ledger.intact_files())
    assert [f.name for f in files if f.exists() or f.name in noted] == []


@pytest.mark.slow
def test_a_lake_that_another_process_writes_to_is_checked_all_the_same(
    kept: tuple[Path, list[Path]],
) -> None:
    path, _ = kept
    flip_bit(next((path / "tables" / RAW).glob("*.parquet")), 0.5)
    with (
        Lake.open(path) as lake,
        lake.ledger.exclusive(),
        pytest.raises(EscudoError, match="LAK018"),
    ):
        lake.files(RAW, ALL_TIME)
    with Lake.open(path) as lake, lake.ledger.exclusive():
        assert len(lake.files(MODEL, ALL_TIME)) == 2
