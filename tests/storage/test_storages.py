"""What holds of every storage: a folder, a bucket in S3, HDFS' class over Arrow's local files."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.fs as fs
import pytest

from escudo.core.errors import EscudoError
from escudo.storage import Folder, Storage, open_storage
from escudo.storage.hadoop import HadoopFolder
from tests.storage import s3
from tests.storage.proxy import Faults, stand_before


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    pytest.importorskip("moto", reason="moto is not installed")
    with s3.serve() as found:
        yield found


@pytest.fixture(params=["folder", "bucket", "hadoop"])
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Storage:
    if request.param == "folder":
        return Folder(tmp_path / "at")
    if request.param == "hadoop":
        local = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
        monkeypatch.setattr("escudo.storage.hadoop._connect", lambda _: local)
        return HadoopFolder("hdfs://host:8020/at")
    address = request.getfixturevalue("endpoint")
    s3.empty(address)
    for name, value in s3.make_environment(address).items():
        monkeypatch.setenv(name, value)
    return open_storage(f"s3://{s3.BUCKET}/at")


def test_what_is_written_is_read(storage: Storage) -> None:
    assert storage.find("a/b.txt") is None
    assert storage.write("a/b.txt", b"one")
    assert storage.write("a/b.txt", b"three")
    assert storage.read("a/b.txt") == b"three"
    found = storage.find("a/b.txt")
    assert found is not None
    assert (found.name, found.size) == ("a/b.txt", 5)
    assert storage.below("a").read("b.txt") == b"three"
    assert storage.place("a/b.txt") == f"{storage.url}/a/b.txt"
    with pytest.raises(FileNotFoundError):
        storage.read("a/none.txt")


def test_only_the_first_writes_what_shall_be_new(storage: Storage) -> None:
    assert storage.write("lake.json", b"mine", new=True)
    assert not storage.write("lake.json", b"yours", new=True)
    assert storage.read("lake.json") == b"mine"


def test_lists(storage: Storage) -> None:
    assert list(storage.list_files()) == []
    assert storage.list_folders() == []
    for name in ("b1", "a1", "b2", "c/b3", "d/e/f"):
        storage.write(name, name.encode())
    assert [stored.name for stored in storage.list_files()] == ["a1", "b1", "b2"]
    assert [stored.name for stored in storage.list_files(begin="b")] == ["b1", "b2"]
    assert storage.list_folders() == ["c", "d"]
    assert [stored.name for stored in storage.below("c").list_files()] == ["b3"]


@pytest.mark.slow
def test_more_files_than_one_list_has(storage: Storage) -> None:
    for number in range(1_005 if storage.url.startswith("s3") else 5):
        storage.write(f"{number:05}", b"")
    names = [stored.name for stored in storage.list_files()]
    assert names == sorted(names)
    assert len(names) in (5, 1_005)


def test_a_file_of_this_machine_is_moved_there(storage: Storage, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"x" * 7_000_000)
    storage.take(made, "t/f.parquet")
    assert not made.exists()
    copy = storage.below("t").fetch("f.parquet", tmp_path / "copies")
    assert copy.read_bytes() == b"x" * 7_000_000
    assert [stored.name for stored in storage.below("t").list_files()] == ["f.parquet"]
    with pytest.raises(FileNotFoundError):
        storage.fetch("t/none", tmp_path / "copies").read_bytes()


def test_what_is_deleted_is_gone(storage: Storage) -> None:
    storage.write("a", b"1")
    storage.delete("a")
    storage.delete("a")
    assert storage.find("a") is None


def test_it_may_be_sent_to_another_process(storage: Storage) -> None:
    assert pickle.loads(pickle.dumps(storage)) == storage


@pytest.mark.slow
def test_a_bucket_that_fails_is_asked_again(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    s3.empty(endpoint)
    faults = Faults(seed=3, errors=0.2, cut=0.1, unanswered=0.1)
    with stand_before(endpoint, faults) as proxy:
        for name, value in s3.make_environment(proxy).items():
            monkeypatch.setenv(name, value)
        storage = open_storage(f"s3://{s3.BUCKET}/at")
        for number in range(20):
            name = f"{number}.txt"
            assert storage.write(name, name.encode() * 100, new=number % 2 == 0)
            assert storage.read(name) == name.encode() * 100
            assert storage.fetch(name, tmp_path / "copies").read_bytes() == name.encode() * 100
        assert len(list(storage.list_files())) == 20
    assert all(faults.told[name] for name in ("errors", "cut", "unanswered"))


def test_what_cannot_be_had_is_told_without_secrets(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = s3.make_environment(endpoint)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("escudo.storage.bucket.PATIENCE", 1.0)
    monkeypatch.setattr("escudo.storage.bucket._RETRIES", 1)
    with pytest.raises((EscudoError, FileNotFoundError)) as missing:
        open_storage("s3://no-such-bucket/x").write("a", b"")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.find_port()}")
    with pytest.raises(EscudoError) as caught:
        open_storage(f"s3://{s3.BUCKET}/x").read("a")
    assert caught.value.code == "STO001"
    for error in (missing.value, caught.value):
        assert told["AWS_SECRET_ACCESS_KEY"] not in str(error)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "escudo.storage.bucket", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(EscudoError) as caught:
        open_storage("s3://never-opened-before/x")
    assert caught.value.code == "STO004"
    assert open_storage("plain/folder").path == Path("plain/folder")
