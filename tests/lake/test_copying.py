"""A lake that is copied or moved between folders and a bucket is the same lake there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.lake.artifacts import LOOKUPS
from escudo.lake.copying import copy_lake, empty_lake
from escudo.lake.identity import Identity
from escudo.lake.ledger import IngestedFile, Mark
from escudo.lake.place import LakePlace, SharedLake
from escudo.storage import Storage, open_file
from tests.lake.handmade import TABLES, append, model_rows, raw_rows


def open_handmade(place: LakePlace) -> Lake:
    return Lake.open(place, tables=TABLES)


def read(lake: Lake, table: str) -> pa.Table:
    files = [open_file(file) for file in lake.files(table, ALL_TIME)]
    if not files:
        return pa.table({})
    return pa.concat_tables([pq.read_table(file) for file in files]).sort_by("_event_id")


def fill(lake: Lake) -> None:
    for n in range(3):
        append(lake, "raw_demo", raw_rows([float(n), n + 0.5]))
    append(lake, "demo_processes", model_rows([1.0], ["a.exe"]))
    lake.artifacts.change(LOOKUPS, "seen", lambda _: b"user\nann\n")
    lake.storage.below("rejected").write("x.jsonl", b"{}\n")
    with lake.writer() as writer:
        file = IngestedFile(Identity(3, "abc"), "a.log", 1, 0, 5.0)
        writer.append_rows("raw_demo", raw_rows([9.0]))
        writer.commit([file], marks=[Mark("input:a", None, "7")])


@pytest.fixture(params=["folder to folder", "folder to bucket", "bucket to folder"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[LakePlace, LakePlace]:
    folder, other = tmp_path / "here", tmp_path / "there"
    if request.param == "folder to folder":
        return folder, other
    bucket: SharedLake = request.getfixturevalue("in_bucket")
    return (folder, bucket) if request.param == "folder to bucket" else (bucket, other)


def test_a_copy_has_all_that_the_lake_has(places: tuple[LakePlace, LakePlace]) -> None:
    with open_handmade(places[0]) as lake, open_handmade(places[1]) as copy:
        fill(lake)
        copied = copy_lake(lake, copy)
        assert [(t.name, t.rows) for t in copied.tables] == [("demo_processes", 1), ("raw_demo", 7)]
    with open_handmade(places[1]) as copy, open_handmade(places[0]) as lake:
        for table in ("raw_demo", "demo_processes"):
            assert read(copy, table).equals(read(lake, table))
        assert copy.ledger.files() == lake.ledger.files()
        assert copy.ledger.marks("input:") == {"input:a": "7"}
        assert copy.artifacts.find(LOOKUPS, "seen").read_text() == "user\nann\n"
        assert copy.rejected_folder.read("x.jsonl") == b"{}\n"
        append(copy, "raw_demo", raw_rows([20.0]))
        ids = read(copy, "raw_demo")["_event_id"].to_pylist()
        assert len(set(ids)) == 8


def test_a_copy_that_was_stopped_goes_on(
    tmp_path: Path, in_bucket: SharedLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_handmade(tmp_path / "here") as lake, open_handmade(in_bucket) as copy:
        fill(lake)
        with monkeypatch.context() as patched:
            patched.setattr("escudo.lake.copying._finish", lambda *_: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                copy_lake(lake, copy)
        assert copy.snapshot().tables() == []
        with open_handmade(tmp_path / "third") as other, pytest.raises(EscudoError) as caught:
            copy_lake(other, copy)
        assert caught.value.code == "LAK035"
        assert [table.sent for table in copy_lake(lake, copy).tables] == [0, 0]
        assert read(copy, "raw_demo").equals(read(lake, "raw_demo"))


def test_a_lake_of_its_own_is_no_target(tmp_path: Path) -> None:
    with open_handmade(tmp_path / "here") as lake, open_handmade(tmp_path / "there") as other:
        fill(lake)
        append(other, "raw_demo", raw_rows([1.0]))
        for target in (other, lake):
            with pytest.raises(EscudoError) as caught:
                copy_lake(lake, target)
            assert caught.value.code == "LAK035"


def test_a_damaged_file_is_not_copied(tmp_path: Path) -> None:
    with open_handmade(tmp_path / "here") as lake, open_handmade(tmp_path / "there") as copy:
        append(lake, "raw_demo", raw_rows([1.0]))
        (file,) = lake.files("raw_demo", ALL_TIME)
        content = bytearray(Path(file).read_bytes())
        content[50] ^= 1
        Path(file).write_bytes(content)
        with pytest.raises(EscudoError) as caught:
            copy_lake(lake, copy)
        assert caught.value.code == "LAK018"
        assert copy.snapshot().tables() == []


def test_what_arrives_otherwise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def take(self: Storage, file: Path, name: str) -> None:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        plain(self, file, name)

    plain = type(open_handmade(tmp_path / "here").storage).take
    with open_handmade(tmp_path / "here") as lake, open_handmade(tmp_path / "there") as copy:
        append(lake, "raw_demo", raw_rows([1.0]))
        monkeypatch.setattr("escudo.storage.folder.Folder.take", take)
        with pytest.raises(EscudoError) as caught:
            copy_lake(lake, copy)
        assert caught.value.code == "LAK036"
        assert copy.snapshot().tables() == []


def test_a_lake_that_grew_since_is_not_emptied(tmp_path: Path) -> None:
    with open_handmade(tmp_path / "here") as lake, open_handmade(tmp_path / "there") as copy:
        fill(lake)
        copied = copy_lake(lake, copy)
        append(lake, "raw_demo", raw_rows([30.0]))
        with pytest.raises(EscudoError) as caught:
            empty_lake(lake, copied.commit)
        assert caught.value.code == "LAK037"
        assert len(read(lake, "raw_demo")) == 8
        empty_lake(lake, copied.commit + 1)
        assert lake.snapshot().tables() == []
        assert list((tmp_path / "here").rglob("*.parquet")) == []
        assert len(read(copy, "raw_demo")) == 7
