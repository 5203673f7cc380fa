"""Logs into a lake: what is counted, what is recognised, what is kept."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from escudo.core.errors import Severity
from escudo.lake import Lake, ingest_source
from escudo.lake import ingest as ingesting
from escudo.lake.ingest import ingest
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.report import FileReport, Outcome
from escudo.sources import Families
from escudo.sources.date_order import DateOrder
from escudo.sources.family import Family
from escudo.sources.inventory import Inventory
from escudo.sources.opening import LogStream
from tests.lake.handmade import count, query
from tests.lake.logs import sysmon, write_logs
from tests.shared_data import SHARED, needs_shared


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """A lake with the tables of the installed sources and data models."""
    with Lake.open(tmp_path / "lake") as opened:
        yield opened


def test_every_event_is_counted(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(sysmon(30) + sysmon(5, code=255) + "<Event><broken\n" + sysmon(2))
    report = ingest([path], lake)
    [file] = report.files
    assert (report.read, report.normalised, report.kept_raw, report.rejected) == (37, 32, 5, 1)
    assert (file.name, file.outcome) == (str(path), Outcome.INGESTED)
    assert report.families == {"sysmon": 37}
    assert report.datasets == {"endpoint_processes": 32}
    assert count(lake, "raw_sysmon") == 37
    assert count(lake, "endpoint_processes") == 32


def test_model_rows_refer_to_their_raw_events(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(sysmon(10))
    ingest([path], lake)
    raw = query(lake, "raw_sysmon", "SELECT _event_id, epoch_us(_time) FROM rows ORDER BY 1")
    rows = query(
        lake, "endpoint_processes", "SELECT _event_id, epoch_us(_time) FROM rows ORDER BY 1"
    )
    assert raw == rows
    assert len({number for number, _ in raw}) == 10


def test_rejected_input_is_kept(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(sysmon(1) + "<Event><broken\n" + sysmon(1))
    ingest([path], lake)
    [kept] = lake.rejected_folder.path.iterdir()
    row = json.loads(kept.read_text())
    assert (row["file"], row["place"], row["code"]) == (str(path), "line 2", "SRC020")
    assert row["excerpt"].startswith("<Event><broken")
    assert lake.ledger.files()[0].rejected == 1


def test_a_file_is_recognised_by_its_content(lake: Lake, tmp_path: Path) -> None:
    first, second = tmp_path / "a.xml", tmp_path / "copy.xml"
    first.write_text(sysmon(5))
    second.write_text(sysmon(5))
    ingest([first], lake)
    again = ingest([first, second], lake)
    assert [f.outcome for f in again.files] == [Outcome.KNOWN, Outcome.KNOWN]
    assert again.files[0].ingested == lake.ledger.files()[0].ingested
    assert (again.read, again.commits, count(lake, "raw_sysmon")) == (0, 0, 5)


def test_a_copy_in_the_same_run_is_recognised(lake: Lake, tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml"):
        (tmp_path / "logs" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "logs" / name).write_text(sysmon(5))
    (tmp_path / "logs" / "c.xml").write_text(sysmon(5, "x"))
    report = ingest([tmp_path / "logs"], lake)
    assert {Path(f.name).name: f.outcome.value for f in report.files} == {
        "a.xml": "ingested",
        "b.xml": "known",
        "c.xml": "ingested",
    }
    assert count(lake, "raw_sysmon") == 10


@pytest.mark.slow
def test_force_takes_a_file_in_again(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(sysmon(5))
    ingest([path], lake)
    ingest([path, path], lake, IngestOptions(force=True))
    assert count(lake, "raw_sysmon") == 15


def test_an_archive_is_one_file(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.xml", sysmon(3, "one"))
        archive.writestr("two.xml", sysmon(4, "two"))
    [file] = ingest([path], lake).files
    assert (file.name, file.read) == (str(path), 7)
    assert sorted(set(query(lake, "raw_sysmon", "SELECT source_file FROM rows"))) == [
        (f"{path}!one.xml",),
        (f"{path}!two.xml",),
    ]
    assert ingest([path], lake).read == 0


def test_bad_files_are_diagnosed_and_do_not_stop_the_others(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.xml").write_text(sysmon(3))
    (tmp_path / "junk.bin").write_bytes(b"MZ\x90\x00junk")
    report = ingest([tmp_path / "nowhere", tmp_path / "junk.bin", tmp_path / "logs"], lake)
    assert [(d.code, d.severity) for d in report.diagnostics] == [
        ("SRC001", Severity.ERROR),
        ("SRC004", Severity.ERROR),
    ]
    assert report.read == 3


@pytest.mark.slow
def test_standard_input_is_read_and_not_recognised(lake: Lake) -> None:
    for _ in range(2):
        report = ingest(["-"], lake, stdin=io.BytesIO(sysmon(4).encode()))
        assert (report.read, report.files[0].name) == (4, "-")
    assert count(lake, "raw_sysmon") == 8


@pytest.mark.slow
def test_a_stream_is_committed_while_it_flows(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "COMMIT_EVENTS", 1000)
    seen = threading.Event()

    class Endless(io.RawIOBase):
        """Gives events until some of them are visible."""

        sent = 0

        def readable(self) -> bool:
            return True

        def readinto(self, target: bytearray) -> int:  # type: ignore[override]
            if seen.is_set():
                return 0
            text = sysmon(len(target) // 1500, str(self.sent)).encode()
            self.sent += 1
            target[: len(text)] = text
            if count(lake, "raw_sysmon"):
                seen.set()
            return len(text)

    report = ingest(["-"], lake, stdin=io.BufferedReader(Endless(), 1 << 18))
    assert report.commits > 1
    assert count(lake, "raw_sysmon") == report.read


@pytest.mark.slow
def test_a_few_events_of_a_slow_stream_become_visible(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for a buffer or a batch to fill."""
    monkeypatch.setattr(ingesting, "COMMIT_SECONDS", 0.5)
    reading, writing = os.pipe()

    def feed() -> None:
        with open(writing, "wb") as out:
            for n in range(100):
                out.write(sysmon(3, str(n)).encode())
                out.flush()
                time.sleep(0.2)
                if count(lake, "raw_sysmon"):
                    return

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(reading, "rb") as stream:
        report = ingest(["-"], lake, stdin=stream)
    feeder.join()
    assert report.commits > 1
    assert count(lake, "raw_sysmon") == report.read < 300


def test_small_files_share_commits(lake: Lake, tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", 12, 10)
    report = ingest(logs, lake)
    assert (report.read, report.commits) == (120, 1)
    assert len(lake.ledger.files()) == 12


@pytest.mark.slow
def test_files_that_another_process_commits_meanwhile_come_in_once(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = write_logs(tmp_path / "logs", 4, 10)
    plain = ingesting.IngestRun.commit
    raced: list[int] = []

    def late(run: ingesting.IngestRun) -> None:
        if not raced:
            raced.append(1)
            with Lake.open(lake.path) as other:
                ingest(logs[1:2], other)
        plain(run)

    monkeypatch.setattr(ingesting.IngestRun, "commit", late)
    report = ingest(logs, lake)
    assert report.read == 30
    assert [Path(f.name).name for f in report.known()] == ["log001.xml"]
    assert count(lake, "raw_sysmon") == 40
    assert len(lake.ledger.files()) == 4


def test_a_file_that_grows_while_it_is_read_is_reported(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xml"
    path.write_text(sysmon(3))

    plain = ingest_source.read_steps

    def growing(
        stream: LogStream,
        families: Families,
        date_order: DateOrder | None,
        inventory: Callable[[], Inventory],
        *,
        given: Family | None,
    ) -> Iterator[ingest_source.Step]:
        with path.open("a") as out:
            out.write(sysmon(1))
        return plain(stream, families, date_order, inventory, given=given)

    monkeypatch.setattr(ingest_source, "read_steps", growing)
    assert [d.code for d in ingest([path], lake).diagnostics] == ["LAK010"]


class Recorder:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def started(self, name: str, size: int | None) -> None:
        self.calls.append(("started", name, size))

    def advanced(self, events: int, raw_bytes: int) -> None:
        self.calls.append(("advanced", events, raw_bytes > 0))

    def finished(self, report: FileReport) -> None:
        self.calls.append(("finished", report.name, report.read))


def test_progress_is_told(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(sysmon(3))
    told = Recorder()
    ingest([path], lake, progress=told)
    assert told.calls == [
        ("started", str(path), path.stat().st_size),
        ("advanced", 3, True),
        ("finished", str(path), 3),
    ]


@pytest.mark.slow
@needs_shared
def test_the_real_event_logs_come_in_whole(lake: Lake) -> None:
    assert SHARED is not None
    report = ingest([SHARED / "evtx"], lake)
    assert len(report.files) == 183
    assert [Path(f.name).name for f in report.known()] == ["UACME_59_Sysmon.evtx"]
    rows = sum(count(lake, t.table) for t in lake.raw_tables())
    assert rows == report.read > 5000
    assert not [d for d in report.diagnostics if d.severity is Severity.ERROR]
