"""Opening lakes, and what is wrong with folders that are none."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake, ledger
from escudo.lake.codes import CODES
from tests.lake.handmade import TABLES, append, count, raw_rows


def _of_files(path: Path) -> None:
    path.mkdir()
    (path / "notes.txt").write_text("mine")


def _file(path: Path) -> None:
    path.write_text("mine")


def _lake(path: Path) -> None:
    with Lake.open(path, tables=TABLES) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))


def _without_ledger(path: Path) -> None:
    _lake(path)
    (path / "ledger.sqlite").unlink()


def _with_empty_ledger(path: Path) -> None:
    _lake(path)
    (path / "ledger.sqlite").write_bytes(b"")


def _with_damaged_ledger(path: Path) -> None:
    _lake(path)
    (path / "ledger.sqlite").write_bytes(b"no database" * 1000)


def _of_format(path: Path, number: int) -> None:
    _lake(path)
    with sqlite3.connect(path / "ledger.sqlite") as connection:
        connection.execute("UPDATE lake SET format = ?", (number,))
    connection.close()


@pytest.mark.parametrize(
    ("make", "create", "code"),
    [
        (_of_files, True, "LAK001"),
        (_file, True, "LAK001"),
        (lambda path: None, False, "LAK002"),
        (Path.mkdir, False, "LAK002"),
        (_without_ledger, True, "LAK003"),
        (_with_empty_ledger, True, "LAK003"),
        (_with_damaged_ledger, True, "LAK003"),
        (lambda path: _of_format(path, 999), True, "LAK004"),
        (lambda path: _of_format(path, 1), True, "LAK004"),
    ],
)
def test_what_is_no_lake_says_so(
    tmp_path: Path, make: Callable[[Path], None], create: bool, code: str
) -> None:
    path = tmp_path / "folder"
    make(path)
    with pytest.raises(EscudoError) as caught:
        Lake.open(path, create=create, tables=TABLES)
    assert caught.value.code == code
    assert code in CODES


def test_a_lake_is_made_in_an_empty_folder_and_opened_again(tmp_path: Path) -> None:
    _lake(tmp_path)
    with Lake.open(tmp_path, create=False, tables=TABLES) as lake:
        assert count(lake, "raw_demo") == 1


def test_opening_does_not_wait_for_a_writer(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([1.0]))
    with lake.ledger.exclusive(), Lake.open(lake.path, tables=TABLES) as other:
        assert count(other, "raw_demo") == 1


def test_a_missing_data_file_is_named(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([1.0]))
    [path] = lake.files("raw_demo", ALL_TIME)
    Path(path).unlink()
    with pytest.raises(EscudoError, match=Path(path).name) as caught:
        lake.files("raw_demo", ALL_TIME)
    assert caught.value.code == "LAK005"


def test_a_missing_log_is_named(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([1.0]))
    shutil.rmtree(lake.tables_folder.path / "raw_demo" / "_delta_log")
    with pytest.raises(EscudoError, match="raw_demo") as caught:
        Lake.open(lake.path, tables=TABLES).files("raw_demo", ALL_TIME)
    assert caught.value.code == "LAK006"
    with pytest.raises(EscudoError, match="raw_demo") as caught:
        append(lake, "raw_demo", raw_rows([1.0]))
    assert caught.value.code == "LAK006"


def test_a_lock_that_is_held_too_long_is_an_error(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LOCK_SECONDS", 0.1)
    with lake.ledger.exclusive(), Lake.open(lake.path, tables=TABLES) as other:
        with pytest.raises(EscudoError) as caught:
            append(other, "raw_demo", raw_rows([1.0]))
        assert caught.value.code == "LAK007"


def test_a_ledger_that_cannot_be_written_is_an_error(lake: Lake) -> None:
    locked = ledger.Ledger(Path(f"file:{lake.ledger.path}?mode=ro&uri=true"))
    with pytest.raises(EscudoError) as caught:
        locked.allocate(1)
    assert caught.value.code == "LAK013"
