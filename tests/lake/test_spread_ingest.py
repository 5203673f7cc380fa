"""Logs that workers read: the same rows, reports and diagnostics as one process gives, one commit
or none. The workers are calls in this process here, whose results go through bytes, as on a cluster
(``tests/engines/spark/test_cluster.py`` has one)."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

import pyarrow as pa
import pytest

from escudo.core.errors import EscudoError
from escudo.generate.generate import generate
from escudo.lake import Lake, delta
from escudo.lake import spread_ingest as spreading
from escudo.lake.ingest import ingest
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.report import IngestReport
from escudo.lake.spread_ingest import ingest_spread
from escudo.storage import Storage, open_storage
from tests.lake.logs import sysmon, write_logs
from tests.lake.stored_rows import find_model_ids, find_raw_ids, read_stored
from tests.lake.workers import Workers
from tests.shared_data import SHARED, needs_shared
from tests.storage import s3

_CASES = Path(__file__).parents[1] / "cases" / "logs"


class TwiceOver(Workers):
    """Does each part twice, as a cluster whose worker died, and takes the second result."""

    def map(self, work: Callable[[bytes], bytes], parts: Sequence[bytes]) -> list[bytes]:
        super().map(work, parts)
        return super().map(work, parts)


@pytest.fixture
def lakes(tmp_path: Path) -> Iterator[tuple[Lake, Lake]]:
    """One that this process reads into, and one that workers do."""
    with Lake.open(tmp_path / "alone") as alone, Lake.open(tmp_path / "spread") as spread:
        yield alone, spread


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreading, "LEAST_BYTES", 4096)


def _tell(report: IngestReport) -> list[tuple[str, str, str]]:
    """What an ingest said, in no order: parts end when they do."""
    return sorted((d.code, d.message, d.severity.value) for d in report.diagnostics)


def _count(report: IngestReport) -> tuple[object, ...]:
    files = sorted(
        (f.name, f.outcome, f.read, f.normalised, f.rejected, f.blind) for f in report.files
    )
    return (files, report.families, report.datasets)


def _list_files(lake: Lake) -> set[str]:
    return {path.name for path in lake.path.glob("tables/*/*.parquet")}


def _list_committed(lake: Lake) -> set[str]:
    snapshot = lake.snapshot()
    return {file.path for name in snapshot.tables() for file in snapshot.data_files(name)}


def _assert_same(paths: Sequence[Path], lakes: tuple[Lake, Lake], workers: Workers) -> None:
    alone, spread = lakes
    expected = ingest(paths, alone)
    given = ingest_spread(paths, spread, workers)
    assert read_stored(spread) == read_stored(alone)
    assert _count(given) == _count(expected)
    assert _tell(given) == _tell(expected)
    ids = find_raw_ids(spread)
    assert len(ids) == len(set(ids)) == expected.read
    assert find_model_ids(spread) <= set(ids)
    assert _list_files(spread) == _list_committed(spread)


@pytest.mark.slow
def test_logs_of_all_kinds_are_the_same_rows(lakes: tuple[Lake, Lake]) -> None:
    workers = Workers()
    _assert_same(sorted(_CASES.glob("*/input")), lakes, workers)
    assert workers.parts > 2


@pytest.mark.slow
def test_logs_of_all_kinds_in_pieces_are_the_same_rows(
    lakes: tuple[Lake, Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "SPLIT_BYTES", 500)
    monkeypatch.setattr(spreading, "MOST_BYTES", 250)
    monkeypatch.setattr(spreading, "LEAST_BYTES", 250)
    inputs, workers = sorted(_CASES.glob("*/input")), Workers()
    expected, given = ingest(inputs, lakes[0]), ingest_spread(inputs, lakes[1], workers)
    stored, wanted = (
        {name: sorted(map(_sort_maps, rows)) for name, rows in read_stored(lake).items()}
        for lake in reversed(lakes)
    )
    assert stored == wanted
    assert _count(given) == _count(expected)
    assert _tell(given) == _tell(expected)
    assert workers.parts > 100


def _sort_maps(row: tuple[object, ...]) -> str:
    """A row as a text; which events are read together decides the order inside of a map."""
    return repr([sorted(cell) if _is_map(cell) else cell for cell in row])


def _is_map(cell: object) -> TypeGuard[list[tuple[str, str]]]:
    return isinstance(cell, list) and bool(cell) and isinstance(cell[0], tuple)


def test_names_of_hosts_are_found_in_all_of_the_input(
    lakes: tuple[Lake, Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CrowdStrike's lists of hosts are in files beside the events, and so in parts of their own."""
    monkeypatch.setattr(spreading, "LEAST_BYTES", 100)
    workers = Workers()
    _assert_same([_CASES / "fdr-lists-beside-data" / "input"], lakes, workers)
    assert workers.rounds == 2, "the events are read again when the names are known"
    assert any("SRV7" in row for row in read_stored(lakes[1])["endpoint_processes"])


@pytest.mark.slow
def test_logs_at_urls_are_the_same_rows(
    lakes: tuple[Lake, Lake], s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders, files, archives and lists of names in a bucket, called by their URLs; a file that is
    read in pieces."""
    monkeypatch.setattr(spreading, "SPLIT_BYTES", 8192)
    alone, spread = lakes
    folder = tmp_path / "raw logs"
    shutil.copytree(_CASES, folder, ignore=shutil.ignore_patterns("expected.yml", "pipe*"))
    raw = s3_url.replace("/lake", "/raw logs")
    single = write_logs(tmp_path / "single", 1, 50)[0]
    _put(folder, raw)
    _put(single.parent, f"{raw}-single")
    expected = ingest([folder, single], alone)
    given = ingest_spread([raw, f"{raw}-single/{single.name}"], spread, Workers())

    def call_alike(text: object) -> str:
        named = str(text).replace(str(single.parent), f"{raw}-single")
        return named.replace(str(folder), raw)

    ours, theirs = read_stored(spread), read_stored(alone)
    assert ours.keys() == theirs.keys()
    for name, rows in ours.items():
        assert list(map(repr, rows)) == sorted(call_alike(repr(row)) for row in theirs[name])
    codes = [sorted(d.code for d in report.diagnostics) for report in (given, expected)]
    assert codes[0] == codes[1]
    assert given.read == expected.read > 100
    again = ingest_spread([raw], spread, Workers())
    assert again.read == 0
    nothing = ingest_spread([f"{raw}-none"], spread, Workers())
    assert [d.code for d in nothing.diagnostics] == ["SRC001"]


def _put(folder: Path, url: str) -> None:
    """Copies files to a bucket; those here are as old, which dates events without a time."""
    bucket = open_storage(f"s3://{s3.BUCKET}")
    prefix = url.removeprefix(f"{bucket.url}/")
    for file in folder.rglob("*"):
        if file.is_file():
            name = f"{prefix}/{file.relative_to(folder).as_posix()}"
            bucket.write(name, file.read_bytes())
            stored = bucket.find(name)
            assert stored is not None
            os.utime(file, (stored.modified, stored.modified))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["xml", "fdr"])
def test_a_large_file_is_read_in_pieces(
    form: str, lakes: tuple[Lake, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no event keeps its line, what is said of a file is said once, and it is known."""
    monkeypatch.setattr(spreading, "SPLIT_BYTES", 4096)
    alone, spread = lakes
    log = tmp_path / f"large.{form}"
    generate(1000, 7, form, log)
    lines = log.read_bytes().splitlines(keepends=True)
    broken = {"xml": b"<Event><System>no end\n", "fdr": b'{"no": end\n'}[form]
    log.write_bytes(b"".join([*lines[:400], broken, *lines[400:], broken]))
    workers = Workers()
    _assert_same([log], lakes, workers)
    assert workers.parts > 4
    rejected = [
        sorted(
            line
            for file in lake.rejected_folder.list_files()
            for line in lake.rejected_folder.read(file.name).splitlines()
        )
        for lake in lakes
    ]
    assert rejected[0] == rejected[1] != []
    (known,) = spread.ledger.files()
    (wanted,) = alone.ledger.files()
    assert (known.identity, known.events) == (wanted.identity, wanted.events)
    assert [f.outcome for f in ingest([log], spread).files] == ["known"]


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize(
    "name", ["evtx/Discovery", "evtx/Persistence", "otrf/cmd_mshta_javascript_getobject_sct.zip"]
)
def test_real_logs_are_the_same_rows(name: str, lakes: tuple[Lake, Lake]) -> None:
    assert SHARED is not None
    _assert_same([SHARED / name], lakes, Workers())


def test_all_parts_are_one_commit(lakes: tuple[Lake, Lake], tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", 6, 10)
    workers = Workers()
    report = ingest_spread(logs, lakes[1], workers)
    assert (report.read, report.commits) == (60, 1)
    assert workers.parts > 1
    assert lakes[1].ledger.head().id == 1


def test_a_part_that_is_done_twice_counts_once(lakes: tuple[Lake, Lake], tmp_path: Path) -> None:
    _assert_same(write_logs(tmp_path / "logs", 4, 10), lakes, TwiceOver())


def test_parts_want_more_ids_where_events_are_packed(
    lakes: tuple[Lake, Lake], tmp_path: Path
) -> None:
    packed = tmp_path / "logs.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", sysmon(3000))
    assert packed.stat().st_size < 3000 * 32
    _assert_same([packed], lakes, Workers())


def test_a_cluster_that_fails_leaves_nothing(lakes: tuple[Lake, Lake], tmp_path: Path) -> None:
    def fail(number: int) -> None:
        if number == 2:
            raise EscudoError("ENG009", "the third part failed")

    logs, lake = write_logs(tmp_path / "logs", 6, 10), lakes[1]
    with pytest.raises(EscudoError, match="third part"):
        ingest_spread(logs, lake, Workers(fail))
    assert (_list_files(lake), lake.snapshot().tables()) == (set(), [])
    assert not list((lake.path / "work").iterdir())
    assert ingest_spread(logs, lake, Workers()).read == 60


def test_workers_that_do_not_see_the_lake_say_so(lakes: tuple[Lake, Lake], tmp_path: Path) -> None:
    logs, lake = write_logs(tmp_path / "logs", 2, 10), lakes[1]

    def take_away(_number: int) -> None:
        for folder in (lake.path / "work").iterdir():
            folder.rmdir()

    with pytest.raises(EscudoError) as raised:
        ingest_spread(logs, lake, Workers(take_away))
    assert raised.value.code == "LAK040"
    assert lake.snapshot().tables() == []


def test_what_is_known_is_left_out(lakes: tuple[Lake, Lake], tmp_path: Path) -> None:
    logs, lake = write_logs(tmp_path / "logs", 3, 10), lakes[1]
    ingest([logs[0]], lake)
    copy = tmp_path / "logs" / "z-copy.xml"
    copy.write_bytes(logs[1].read_bytes())
    report = ingest_spread([tmp_path / "logs"], lake, Workers())
    assert sorted(f.name for f in report.known()) == [str(logs[0]), str(copy)]
    assert report.read == 20
    again = ingest_spread([tmp_path / "logs"], lake, Workers(), IngestOptions(force=True))
    assert again.read == 40


def test_what_another_process_took_in_meanwhile_is_left_out(
    lakes: tuple[Lake, Lake], tmp_path: Path
) -> None:
    logs, lake = write_logs(tmp_path / "logs", 3, 10), lakes[1]

    def hurry(number: int) -> None:
        if number == 1:
            ingest([logs[0]], lake)

    report = ingest_spread(logs, lake, Workers(hurry))
    assert [f.name for f in report.known()] == [str(logs[0])]
    assert len(find_raw_ids(lake)) == 30
    assert _list_files(lake) == _list_committed(lake)


def test_each_log_of_a_table_is_opened_once_to_find_strays(
    lakes: tuple[Lake, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not once for each commit that readers may have open; other writers wait meanwhile."""
    logs, lake = write_logs(tmp_path / "logs", 6, 10), lakes[1]
    for log in logs[:4]:
        ingest([log], lake)
    plain = delta.list_active
    opened: Counter[str] = Counter()

    def count(table: Storage, version: int) -> pa.Table:
        opened[table.name] += 1
        return plain(table, version)

    monkeypatch.setattr(delta, "list_active", count)
    ingest_spread(logs, lake, TwiceOver())
    assert opened["raw_sysmon"] == 1
    assert set(opened.values()) == {1}
    assert _list_files(lake) == _list_committed(lake)
    assert len(find_raw_ids(lake)) == 60


def test_pipes_are_read_by_this_process(lakes: tuple[Lake, Lake], tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", 2, 10)
    with (tmp_path / "in.xml").open("w+b") as stream:
        stream.write(sysmon(5, "stdin").encode())
        stream.seek(0)
        report = ingest_spread([*logs, "-"], lakes[1], Workers(), stdin=stream)
    assert report.read == 25
    assert os.fspath(logs[0]) in {f.name for f in report.files}


@pytest.mark.parametrize("paths", [["nowhere"], ["empty"], ["a.txt"], ["empty", "a.txt", "b"]])
def test_inputs_without_logs_are_told_alike(
    paths: list[str], lakes: tuple[Lake, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "b" / ".git").mkdir(parents=True)
    (tmp_path / "b" / "notes").write_text("no log\n")
    (tmp_path / "a.txt").write_text("no log either\n")
    monkeypatch.chdir(tmp_path)
    _assert_same([Path(p) for p in paths], lakes, Workers())
