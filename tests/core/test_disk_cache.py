"""What is kept is found again, and nothing else ever is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from escudo.core import disk_cache
from escudo.core.disk_cache import MOST_FILES, DiskCache


def made(value: object, calls: list[object]) -> object:
    calls.append(value)
    return value


def test_a_value_is_made_once(tmp_path: Path) -> None:
    calls: list[object] = []
    for _ in range(2):
        cache = DiskCache(tmp_path / "cache")
        assert cache.recall("text", b"key", lambda: made(["a", 1], calls)) == ["a", 1]
    assert calls == [["a", 1]]


@pytest.mark.parametrize(
    ("kind", "key"), [("text", b"another key"), ("other", b"key"), ("text", b"")]
)
def test_another_key_or_kind_finds_nothing(tmp_path: Path, kind: str, key: bytes) -> None:
    cache = DiskCache(tmp_path)
    cache.keep("text", b"key", "value")
    assert cache.find(kind, key) is None


def test_what_other_code_made_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskCache(tmp_path)
    cache.keep("text", b"key", "value")
    monkeypatch.setattr(disk_cache, "code_digest", lambda: b"other code")
    assert cache.find("text", b"key") is None


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "no pickle"])
def test_a_damaged_file_goes_and_the_value_is_made_again(tmp_path: Path, damage: str) -> None:
    cache = DiskCache(tmp_path)
    cache.keep("text", b"key", "value")
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-1]
    elif damage == "flip":
        data[-3] ^= 1
    elif damage == "empty":
        data = bytearray()
    else:
        data = bytearray(b"x" * 100)
    path.write_bytes(data)
    assert cache.find("text", b"key") is None
    assert not path.exists()
    assert cache.recall("text", b"key", lambda: "again") == "again"
    assert DiskCache(tmp_path).find("text", b"key") == "again"


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    os.chmod(folder, 0o777)
    cache = DiskCache(folder)
    cache.keep("text", b"key", "value")
    assert cache.folder is None
    assert list(folder.iterdir()) == []


def test_a_place_where_no_folder_can_be_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = DiskCache(tmp_path / "file" / "cache")
    assert cache.recall("text", b"key", lambda: 1) == 1


def test_the_oldest_values_go(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    for number in range(MOST_FILES + 3):
        cache.keep("n", str(number).encode(), number)
        for path in tmp_path.iterdir():  # time goes by
            os.utime(path, (path.stat().st_atime - 10, path.stat().st_mtime - 10))
    assert len(list(tmp_path.iterdir())) == MOST_FILES
    assert cache.find("n", b"0") is None
    assert cache.find("n", str(MOST_FILES + 2).encode()) == MOST_FILES + 2
