"""A lake in a bucket, with its ledger in PostgreSQL or a file: what holds of one in a folder."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.duckdb import connect
from escudo.engines.duckdb.faults import explain_error
from escudo.engines.duckdb.remote_files import provide
from escudo.lake import Lake, delta
from escudo.lake.artifacts import LOOKUPS
from escudo.lake.ledger import Mark
from escudo.lake.leftovers import Work
from escudo.lake.maintenance import compact, delete, expire, info
from escudo.lake.place import SHARED, SharedLake, make_place
from escudo.lake.verify import verify
from escudo.storage import open_file, open_storage
from tests.lake.handmade import DAY, TABLES, append, model_rows, raw_rows
from tests.storage.proxy import Faults, stand_before


def read(lake: Lake, table: str, within: TimeRange = ALL_TIME) -> pa.Table:
    parts = [pq.read_table(open_file(f)) for f in lake.files(table, within)]
    return pa.concat_tables(parts) if parts else pa.table({"_time": []})


def times(lake: Lake) -> list[float]:
    return sorted(t.timestamp() for t in read(lake, "raw_demo")["_time"].to_pylist())


def open_handmade(place: SharedLake, *, create: bool = True) -> Lake:
    return Lake.open(place, create=create, tables=TABLES)


@pytest.fixture(params=["in_bucket", pytest.param("shared", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> SharedLake:
    """A place in S3 with either kind of ledger."""
    found: SharedLake = request.getfixturevalue(request.param)
    return found


def test_rows_go_to_the_bucket_and_come_back(place: SharedLake) -> None:
    with open_handmade(place) as lake:
        with lake.writer() as writer:
            writer.append_rows("raw_demo", raw_rows([1.0, 2.0]))
            writer.append_rows("demo_processes", model_rows([1.0], ["a.exe"]))
            writer.commit()
        append(lake, "raw_demo", raw_rows([90_000.0]))
    with open_handmade(place, create=False) as lake:
        assert times(lake) == [1.0, 2.0, 90_000.0]
        assert len(read(lake, "demo_processes")) == 1
        assert info(lake).path == place.url
        assert len(set(read(lake, "raw_demo")["_event_id"].to_pylist())) == 3
        assert verify(lake).damaged == ()
        assert list(lake.storage.below("work").list_files()) == []
        folder = f"{place.url}/tables/raw_demo/"
        assert all(file.startswith(folder) for file in lake.files("raw_demo", ALL_TIME))


def test_a_writer_that_gives_up_leaves_nothing_in_the_bucket(place: SharedLake) -> None:
    with open_handmade(place) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
        before = list(lake.tables_folder.below("raw_demo").list_files())
        with lake.writer() as writer, pytest.MonkeyPatch.context() as patched:
            patched.setattr("escudo.lake.writer.BUFFER_BYTES", 1)
            patched.setattr("escudo.lake.parquet_files.FULL_BYTES", 1)
            for _ in range(3):
                writer.append_rows("raw_demo", raw_rows([2.0]))
            writer._wait()
            writer.discard()
        assert times(lake) == [1.0]
        assert list(lake.tables_folder.below("raw_demo").list_files()) == before
        assert list(lake.storage.below("work").list_files()) == []


def test_a_table_that_ran_ahead_of_the_ledger_is_restored(
    place: SharedLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process that died between the tables and the ledger has left: seen by nobody."""
    with open_handmade(place) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
        with monkeypatch.context() as patched:
            patched.setattr("escudo.lake.ledger.LedgerTransaction.record", lambda *_: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                append(lake, "raw_demo", raw_rows([2.0]))
        assert times(lake) == [1.0]
        append(lake, "raw_demo", raw_rows([3.0]))
        assert times(lake) == [1.0, 3.0]


def test_a_writer_that_was_cut_off_puts_nothing_into_the_tables_of_another(
    place: SharedLake,
) -> None:
    """Its version of the log is there already: the commit fails, it is not put behind the other."""
    with open_handmade(place) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
        table = lake.tables_folder.below("raw_demo")
        zombie = delta._open(table)
        append(lake, "raw_demo", raw_rows([2.0]))
        with pytest.raises(Exception, match="commit"):
            zombie.create_write_transaction(
                [delta.AddAction("zombie.parquet", 1, {}, 0, True, "{}")],
                "append",
                zombie.schema(),
                post_commithook_properties=delta._NO_HOOKS,
                commit_properties=delta._STRICT,
            )
        assert times(lake) == [1.0, 2.0]


@pytest.mark.slow
def test_maintenance(place: SharedLake) -> None:
    with open_handmade(place) as lake:
        for n in range(4):
            append(lake, "raw_demo", raw_rows([float(n), n + 0.5]))
            append(lake, "demo_processes", model_rows([float(n)], ["b.exe"]))
        append(lake, "raw_demo", raw_rows([3 * DAY]))
        done = compact(lake)
        assert {(c.table, c.files_before) for c in done.changes} >= {("demo_processes", 4)}
        assert times(lake) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 3 * DAY]
        rows = read(lake, "raw_demo").sort_by("_time")
        delete(lake, rows["_event_id"].to_pylist()[:2])
        assert times(lake)[:2] == [1.0, 1.5]
        expire(lake, DAY)
        assert times(lake) == [3 * DAY]
        assert verify(lake).damaged == ()


@pytest.mark.slow
def test_deleted_files_leave_the_bucket_after_their_time(
    place: SharedLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_handmade(place) as lake:
        for n in range(3):
            append(lake, "raw_demo", raw_rows([float(n)]))
        table = lake.tables_folder.below("raw_demo")
        compact(lake, retention=timedelta(0))
        compact(lake, retention=timedelta(0))
        assert len([f for f in table.list_files() if f.name.endswith(".parquet")]) == 1
        assert times(lake) == [0.0, 1.0, 2.0]


def test_a_missing_file_is_told(place: SharedLake) -> None:
    with open_handmade(place) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
        (gone,) = lake.files("raw_demo", ALL_TIME)
        open_storage(gone.rpartition("/")[0]).delete(gone.rpartition("/")[2])
        assert [d.cause for d in verify(lake).damaged] == ["missing"]
        connection = connect(threads=1)
        provide(connection, [gone])
        with pytest.raises(duckdb.Error) as caught:
            connection.execute(f"SELECT count(*) FROM read_parquet('{gone}')")
        assert explain_error(caught.value).code == "STO005"


def test_artifacts_are_kept_in_the_bucket(place: SharedLake) -> None:
    with open_handmade(place) as lake:
        kept = lake.artifacts
        kept.keep_model("m/1", b"model")
        kept.keep_job("daily", pa.table({"a": [1, 2]}))
        kept.change(LOOKUPS, "seen", lambda _: b"user\nann\n")
    with open_handmade(place, create=False) as lake:
        kept = lake.artifacts
        assert kept.model("m/1") == b"model"
        assert kept.job("daily").to_pydict() == {"a": [1, 2]}
        before = kept.fingerprint()
        found = kept.find(LOOKUPS, "seen")
        assert found is not None
        assert found.read_text() == "user\nann\n"
        kept.change(LOOKUPS, "seen", lambda old: old.read_bytes() + b"bob\n")
        assert kept.find(LOOKUPS, "seen").read_text() == "user\nann\nbob\n"
        assert kept.fingerprint() != before
        assert sorted(name for name, _ in kept.sizes()) == [
            "jobs/daily",
            "lookups/seen",
            "models/m/1",
        ]
        kept.change(LOOKUPS, "seen", lambda _: None)
        assert kept.find(LOOKUPS, "seen") is None
        assert list(kept.names(LOOKUPS)) == []


def test_marks_move_on_from_where_they_are(place: SharedLake) -> None:
    with open_handmade(place) as lake:
        lake.ledger.move_mark(Mark("input:a", None, "1"))
        lake.ledger.move_mark(Mark("input:a", "1", "2"))
        with pytest.raises(EscudoError) as caught:
            lake.ledger.move_mark(Mark("input:a", "1", "3"))
        assert caught.value.code == "LAK020"
        assert lake.ledger.marks("input:") == {"input:a": "2"}
        lake.ledger.move_mark(Mark("input:a", "2", None))
        assert lake.ledger.marks("input:") == {}


def test_a_work_that_was_taken_for_left_commits_nothing(place: SharedLake) -> None:
    with open_handmade(place) as lake, lake.writer() as writer:
        writer.append_rows("raw_demo", raw_rows([1.0]))
        writer.finish()
        (sign,) = lake.storage.below("work").list_files()
        lake.storage.below("work").delete(sign.name)
        writer.append_rows("raw_demo", raw_rows([2.0]))
        with pytest.raises(EscudoError) as caught:
            writer.commit()
        assert caught.value.code == "LAK028"
        assert times(lake) == []


def test_the_work_of_the_dead_is_swept(place: SharedLake) -> None:
    with open_handmade(place) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
        work = Work(lake.storage)
        work.begin()
        table = lake.tables_folder.below("raw_demo")
        table.write(f"{work.token}0.parquet", b"unfinished")
        (sign,) = lake.storage.below("work").list_files()
    with open_handmade(place) as lake:
        assert [s.name for s in lake.storage.below("work").list_files()] == [sign.name]
        machine, _, token = sign.name.split(".")
        lake.storage.below("work").write(f"{machine}.4194305.{token}", b"")
    with open_handmade(place) as lake:
        left = [s.name for s in table.list_files() if s.name.endswith(".parquet")]
        assert [name for name in left if name.startswith(work.token)] == []
        assert times(lake) == [1.0]


def test_a_window_asks_for_its_own_files_alone_and_only_once(
    in_bucket: SharedLake, s3_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are left out by the times in the log, before any of them is asked for."""
    with open_handmade(in_bucket) as lake:
        for day in range(4):
            append(lake, "raw_demo", raw_rows([day * DAY + 1.0]))
    asked: list[str] = []
    with stand_before(s3_server, Faults(seen=asked)) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with open_handmade(in_bucket) as lake:
            within = TimeRange(DAY, 2 * DAY)
            (file,) = lake.files("raw_demo", within)
            asked.clear()
            assert len(read(lake, "raw_demo", within)) == 1
            assert {line.rpartition("/")[2] for line in asked} == {file.rpartition("/")[2]}
            assert len(asked) == 1  # a small file comes with its footer
            asked.clear()
            assert len(read(lake, "raw_demo", within)) == 1
            assert asked == []


@pytest.mark.parametrize("other", ["another lake", "nothing"])
def test_another_ledger_is_refused(in_bucket: SharedLake, tmp_path: Path, other: str) -> None:
    ledger = str(tmp_path / "other.sqlite")
    with open_handmade(in_bucket) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
    if other == "another lake":
        with open_handmade(SharedLake(f"{in_bucket.url}-2", ledger)) as lake:
            append(lake, "raw_demo", raw_rows([5.0]))
    with pytest.raises(EscudoError) as caught:
        open_handmade(SharedLake(in_bucket.url, ledger))
    assert caught.value.code == "LAK030"
    with pytest.raises(EscudoError) as caught:
        open_handmade(SharedLake(f"{in_bucket.url}-3", in_bucket.ledger))
    assert caught.value.code == "LAK030"
    with open_handmade(in_bucket, create=False) as lake:
        assert times(lake) == [1.0]


def test_a_lake_that_was_begun_is_taken_up(
    in_bucket: SharedLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is named first: what died then has left nothing that would be refused."""
    with monkeypatch.context() as patched:
        patched.setattr("escudo.lake.place._write_identity", lambda _: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            open_handmade(in_bucket)
    with open_handmade(in_bucket) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
        assert times(lake) == [1.0]


def test_tables_without_their_ledger_are_no_new_lake(in_bucket: SharedLake) -> None:
    open_storage(in_bucket.url).write("tables/raw_demo/a.parquet", b"x")
    with pytest.raises(EscudoError) as caught:
        open_handmade(in_bucket)
    assert caught.value.code == "LAK003"


def test_a_lake_with_its_ledger_beside_it_takes_no_other(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake", tables=TABLES) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
    with pytest.raises(EscudoError) as caught:
        open_handmade(SharedLake(str(tmp_path / "lake"), str(tmp_path / "other.sqlite")))
    assert caught.value.code == "LAK030"
    assert not (tmp_path / "other.sqlite").exists()


def test_a_mounted_folder_may_have_its_ledger_elsewhere(tmp_path: Path) -> None:
    place = SharedLake(str(tmp_path / "lake"), str(tmp_path / "ledger.sqlite"))
    with open_handmade(place) as lake:
        append(lake, "raw_demo", raw_rows([1.0]))
    with open_handmade(place, create=False) as lake:
        assert times(lake) == [1.0]
    with pytest.raises(EscudoError) as caught:
        Lake.open(tmp_path / "lake", tables=TABLES)
    assert caught.value.code == "LAK029"


def test_nothing_is_made_of_a_lake_that_has_to_be_there(in_bucket: SharedLake) -> None:
    with pytest.raises(EscudoError) as caught:
        open_handmade(in_bucket, create=False)
    assert caught.value.code == "LAK002"
    assert open_storage(in_bucket.url).find(SHARED) is None


def test_a_url_needs_a_ledger() -> None:
    for url in ("s3://b/lake", "gs://b/lake", "abfs://c@a.dfs.core.windows.net/l"):
        with pytest.raises(EscudoError) as caught:
            make_place(url, None)
        assert caught.value.code == "LAK029"


@pytest.mark.slow
def test_a_lake_of_another_version_is_refused(shared: SharedLake) -> None:
    with open_handmade(shared) as lake, lake.ledger._writing_ids() as connection:
        connection.execute("UPDATE lake SET format = 99")
    with pytest.raises(EscudoError) as caught:
        open_handmade(shared)
    assert caught.value.code == "LAK004"


def test_no_password_is_shown(s3_url: str) -> None:
    place = SharedLake(s3_url, "postgresql://escudo:geheim@127.0.0.1:1/none")
    assert "geheim" not in repr(place) + str(place)
    with pytest.raises(EscudoError) as caught:
        open_handmade(place)
    assert caught.value.code == "LAK031"
    assert "geheim" not in str(caught.value)


def test_without_the_driver(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(EscudoError) as caught:
        open_handmade(SharedLake(s3_url, "postgresql://127.0.0.1:1/none"))
    assert caught.value.code == "LAK032"


@pytest.mark.slow
def test_ids_are_given_while_another_writer_commits(shared: SharedLake) -> None:
    with open_handmade(shared) as lake, open_handmade(shared) as other, lake.ledger.exclusive():
        assert len(other.ledger.allocate(5)) == 5
        assert other.ledger.head().id == 0


@pytest.mark.slow
def test_a_commit_whose_answer_was_lost_is_asked_for(
    shared: SharedLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL has committed, and the connection broke: it is asked, and says so."""

    def commit(connection: sa.Connection) -> None:
        plain(connection)
        raise OperationalError("COMMIT", None, Exception("server closed the connection"))

    plain = sa.Connection.commit
    with open_handmade(shared) as lake:
        with monkeypatch.context() as patched:
            patched.setattr(sa.Connection, "commit", commit)
            append(lake, "raw_demo", raw_rows([1.0]))
        assert times(lake) == [1.0]
        with monkeypatch.context() as patched:
            patched.setattr(sa.Connection, "commit", lambda _: commit_nothing())
            with pytest.raises(EscudoError) as caught:
                append(lake, "raw_demo", raw_rows([2.0]))
        assert caught.value.code == "LAK031"
        assert times(lake) == [1.0]


def commit_nothing() -> None:
    raise OperationalError("COMMIT", None, Exception("server closed the connection"))
