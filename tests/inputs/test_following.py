"""Files that grow and are rotated, whole files, streams: each event is in the lake once."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.inputs import FollowOptions, follow_inputs
from escudo.inputs.growing import GrowingFiles
from escudo.inputs.position import Positions
from escudo.inputs.tail import Piece
from escudo.lake import Lake
from escudo.lake.report import IngestReport
from escudo.lake.tables import load_tables
from tests.inputs.json_logs import all_once, line, lines, read_numbers
from tests.lake.logs import sysmon

pytestmark = pytest.mark.slow

ONCE = FollowOptions(once=True, settle=0.0)

load_all_tables = cache(load_tables)


def follow_once(paths: Sequence[Path], folder: Path) -> list[IngestReport]:
    """Reads what is there, as a process that ends then."""
    told: list[IngestReport] = []
    with Lake.open(folder, tables=load_all_tables()) as lake:
        for _ in follow_inputs(paths, lake, ONCE, tell=told.append):
            pass
    return told


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def test_what_is_added_is_read_on_where_it_was_left(logs: Path, tmp_path: Path) -> None:
    lake, log = tmp_path / "lake", logs / "app.log"
    for start in (0, 10, 20):
        with log.open("a") as out:
            out.write(lines(range(start, start + 10)))
        follow_once([logs], lake)
        assert read_numbers(lake) == all_once(range(start + 10))
    assert follow_once([logs], lake) == []


def test_a_line_that_is_not_whole_waits_for_its_rest(logs: Path, tmp_path: Path) -> None:
    lake, log = tmp_path / "lake", logs / "app.log"
    whole = line(2)
    log.write_text(lines([0, 1]) + whole[:40])
    follow_once([logs], lake)
    assert read_numbers(lake) == all_once([0, 1])
    log.write_text(lines([0, 1]) + whole)
    follow_once([logs], lake)
    assert read_numbers(lake) == all_once([0, 1, 2])
    log.write_text(lines([0, 1, 2, 3]))
    follow_once([logs], lake)
    assert read_numbers(lake) == all_once(range(4))


@pytest.mark.parametrize("followed", ["folder", "file"])
def test_renamed_and_made_anew_while_nobody_looked(
    logs: Path, tmp_path: Path, followed: str
) -> None:
    lake, log = tmp_path / "lake", logs / "app.log"
    paths = [logs] if followed == "folder" else [log]
    log.write_text(lines(range(10)))
    follow_once(paths, lake)
    with log.open("a") as out:
        out.write(lines(range(10, 15)))
    log.rename(logs / "app.log.1")
    log.write_text(lines(range(15, 20)))
    follow_once(paths, lake)
    assert read_numbers(lake) == all_once(range(20))


@pytest.mark.parametrize("followed", ["folder", "file"])
@pytest.mark.parametrize("longer", [True, False])
def test_copied_and_cut_while_nobody_looked(
    logs: Path, tmp_path: Path, followed: str, longer: bool
) -> None:
    """What was written between the last look and the cut is in the copy alone."""
    lake, log = tmp_path / "lake", logs / "app.log"
    paths = [logs] if followed == "folder" else [log]
    log.write_text(lines(range(10)))
    follow_once(paths, lake)
    with log.open("a") as out:
        out.write(lines(range(10, 15)))
    shutil.copy(log, logs / "app.log.1")
    os.truncate(log, 0)
    last = 60 if longer else 20
    with log.open("a") as out:
        out.write(lines(range(15, last)))
    follow_once(paths, lake)
    assert read_numbers(lake) == all_once(range(last))
    follow_once(paths, lake)
    assert read_numbers(lake) == all_once(range(last))


@pytest.mark.parametrize("followed", ["folder", "file"])
def test_copied_and_cut_and_then_renamed_while_nobody_looked(
    logs: Path, tmp_path: Path, followed: str
) -> None:
    """The file that was read has another name and another content; the rest is in its copy."""
    lake, log = tmp_path / "lake", logs / "app.log"
    paths = [logs] if followed == "folder" else [log]
    log.write_text(lines(range(10)))
    follow_once(paths, lake)
    with log.open("a") as out:
        out.write(lines(range(10, 40)))
    shutil.copy(log, logs / "app.log.1")
    os.utime(logs / "app.log.1", (1_700_000_000, 1_700_000_000))
    os.truncate(log, 0)
    with log.open("a") as out:
        out.write(lines(range(40, 45)))
    log.rename(logs / "app.log.2")
    log.write_text(lines(range(45, 50)))
    for _ in range(2):
        follow_once(paths, lake)
        assert read_numbers(lake) == all_once(range(50))


def test_killed_between_two_rotations(logs: Path, tmp_path: Path) -> None:
    """What was known of the name was read to its end under its new one; nothing is known of the
    files that had the name since."""
    lake, log = tmp_path / "lake", logs / "app.log"
    log.write_text(lines(range(5)))
    follow_once([log], lake)
    with log.open("a") as out:
        out.write(lines(range(5, 10)))
    log.rename(logs / "app.log.1")
    log.touch()
    follow_once([log], lake)
    for number in (2, 3):
        with log.open("a") as out:
            out.write(lines(range(number * 10 - 10, number * 10)))
        shutil.copy(log, logs / f"app.log.{number}")
        os.truncate(log, 0)
    for _ in range(2):
        follow_once([log], lake)
        assert read_numbers(lake) == all_once(range(30))


def test_a_copy_that_is_being_made_is_not_read(logs: Path) -> None:
    """It is found out while it is shorter than what has been read of the file."""
    log, copy = logs / "app.log", logs / "app.log.1"
    log.write_text(lines(range(50)))
    files = GrowingFiles([logs], Positions({}), settle=0.0)
    try:
        (first,) = [f for f in files.look() if isinstance(f, Piece)]
        text = log.read_bytes()
        assert first.size == len(text)
        for part in (100, 2000, len(text)):
            copy.write_bytes(text[:part])
            assert not [f for f in files.look() if isinstance(f, Piece)], part
        os.truncate(log, 0)
        with log.open("a") as out:
            out.write(lines([50]))
        (more,) = [f for f in files.look() if isinstance(f, Piece)]
        assert (more.stream.name, more.start) == (str(log), 0)
    finally:
        files.close()


def test_a_rotated_file_that_is_compressed_comes_in_once(logs: Path, tmp_path: Path) -> None:
    lake, log = tmp_path / "lake", logs / "app.log"
    log.write_text(lines(range(10)))
    follow_once([logs], lake)
    with log.open("a") as out:
        out.write(lines(range(10, 13)))
    (logs / "app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.write_text(lines(range(13, 16)))
    follow_once([logs], lake)
    assert read_numbers(lake) == all_once(range(16))


def test_a_copy_of_a_file_comes_in_once(logs: Path, tmp_path: Path) -> None:
    (logs / "a.log").write_text(lines(range(10)))
    shutil.copy(logs / "a.log", logs / "b.log")
    follow_once([logs], tmp_path / "lake")
    assert read_numbers(tmp_path / "lake") == all_once(range(10))


def test_files_that_begin_alike_are_told_apart(logs: Path, tmp_path: Path) -> None:
    """Their first 1,024 bytes agree, and so would a test of these alone."""
    (logs / "a.log").write_text(lines(range(20)))
    follow_once([logs], tmp_path / "lake")
    (logs / "b.log").write_text(lines([*range(10), *range(100, 130)]))
    follow_once([logs], tmp_path / "lake")
    found = read_numbers(tmp_path / "lake")
    assert found == all_once([*range(20), *range(10), *range(100, 130)])


def test_a_file_that_is_cut_is_told(logs: Path, tmp_path: Path) -> None:
    log = logs / "app.log"
    log.write_text(lines(range(10)))
    follow_once([log], tmp_path / "lake")
    log.write_text(lines(range(10, 12)))
    (told,) = follow_once([log], tmp_path / "lake")
    assert [d.code for d in told.diagnostics] == ["INP003"]
    assert read_numbers(tmp_path / "lake") == all_once(range(12))


def test_event_xml_is_read_up_to_its_last_whole_event(logs: Path, tmp_path: Path) -> None:
    log, text = logs / "a.xml", sysmon(4)
    log.write_text(text[:-300])
    assert [r.read for r in follow_once([logs], tmp_path / "lake")] == [3]
    log.write_text(text)
    assert [r.read for r in follow_once([logs], tmp_path / "lake")] == [1]


def test_rows_of_a_csv_have_the_header_of_the_file(logs: Path, tmp_path: Path) -> None:
    log = logs / "a.csv"
    head = "TimeCreated,EventID,Computer,Message\n"
    log.write_text(head + '2026-11-29T10:00:00Z,1,pc1,"one\n')
    follow_once([logs], tmp_path / "lake")
    with log.open("a") as out:
        out.write('line more"\n2026-11-29T10:00:01Z,1,pc2,two\n')
    follow_once([logs], tmp_path / "lake")
    with log.open("a") as out:
        out.write("2026-11-29T10:00:02Z,1,pc3,three\n")
    told = follow_once([logs], tmp_path / "lake")
    assert [r.read for r in told] == [1]


def test_an_archive_and_an_array_are_read_whole(logs: Path, tmp_path: Path) -> None:
    (logs / "a.json").write_text(f"[{line(1)},\n{line(2)}]")
    (logs / "b.log.gz").write_bytes(gzip.compress(lines([3]).encode()))
    (logs / "notes.txt").write_text("nothing to see here\n")
    follow_once([logs], tmp_path / "lake")
    follow_once([logs], tmp_path / "lake")
    assert read_numbers(tmp_path / "lake") == all_once([1, 2, 3])


def test_standard_input_flows_in(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake") as lake:
        stdin = io.BytesIO(lines(range(50)).encode() + line(50).encode())
        batches = list(follow_inputs(["-"], lake, ONCE, stdin=stdin))
    assert sum(b.events for b in batches) == 51
    assert read_numbers(tmp_path / "lake") == all_once(range(51))


def test_paths_that_cannot_be_followed(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake") as lake:
        for paths, code in (([tmp_path / "no" / "such"], "INP001"), (["-", tmp_path], "INP002")):
            with pytest.raises(EscudoError) as raised:
                list(follow_inputs(paths, lake, ONCE))
            assert raised.value.code == code


def test_a_batch_is_a_catalog_of_its_own_events(logs: Path, tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake") as lake:
        stop = threading.Event()
        following = follow_inputs([logs], lake, FollowOptions(every=0.05), stop=stop)
        for start in (0, 7):
            (logs / f"{start}.log").write_text(lines(range(start, start + 7)))
            batch = next(following)
            assert batch.events == 7
            assert batch.commits == (lake.ledger.head().id,)
        stop.set()
        assert list(following) == []


@pytest.mark.parametrize("copied", [True, False])
def test_rotated_more_than_once_while_nobody_looked(
    logs: Path, tmp_path: Path, copied: bool
) -> None:
    lake, log = tmp_path / "lake", logs / "app.log"
    (logs / "app.log.0").write_text(lines(range(900, 905)))  # older: nobody asked for it
    os.utime(logs / "app.log.0", (1_700_000_000, 1_700_000_000))
    log.write_text(lines(range(10)))
    follow_once([log], lake)
    for turn in (1, 2, 3):
        with log.open("a") as out:
            out.write(lines(range(10 * turn, 10 * turn + 10)))
        if copied:
            shutil.copy(log, logs / f"app.log.{turn}")
            os.truncate(log, 0)
        else:
            log.rename(logs / f"app.log.{turn}")
    log.write_text(lines(range(40, 45)))
    follow_once([log], lake)
    assert read_numbers(lake) == all_once(range(45))


def test_two_that_follow_the_same_file_do_not_double_it(logs: Path, tmp_path: Path) -> None:
    log = logs / "app.log"
    log.write_text(lines(range(5)))
    stop = threading.Event()
    with Lake.open(tmp_path / "lake") as lake, Lake.open(tmp_path / "lake") as other:
        first = follow_inputs([log], lake, FollowOptions(every=0.05), stop=stop)
        second = follow_inputs([log], other, FollowOptions(every=0.05), stop=stop)
        assert next(first).events == 5
        with log.open("a") as out:
            out.write(lines(range(5, 9)))
        assert next(second).events == 4  # it began when the first had committed
        with pytest.raises(EscudoError) as raised:
            next(first)
        assert raised.value.code == "LAK020"
        stop.set()
        list(second)
    assert read_numbers(tmp_path / "lake") == all_once(range(9))
