"""EVTX files that break off."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from escudo.sources.formats import evtx_file, evtx_records
from escudo.sources.opening import open_logs
from escudo.sources.reading import RawBatch, Rejected, read
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared

LOG = "AutomatedTestingTools/panache_sysmon_vs_EDRTestingScript.evtx"
"""Its header tells of 4 chunks of 64 KiB with 122 records; the rest of the file is unused."""

RECORDS, HEADER, CHUNK, CHUNKS = 122, 4096, 65_536, 4


def _read(path: Path) -> tuple[int, list[Rejected]]:
    (stream,) = open_logs([path])
    items = list(read(stream, FAMILIES))
    events = sum(item.table.num_rows for item in items if isinstance(item, RawBatch))
    return events, [item for item in items if isinstance(item, Rejected)]


@needs_shared
@pytest.mark.parametrize("size", [HEADER + CHUNKS * CHUNK, HEADER + (CHUNKS + 1) * CHUNK + 77])
def test_a_file_without_its_unused_end_is_whole(size: int, tmp_path: Path) -> None:
    assert SHARED is not None
    cut = tmp_path / "cut.evtx"
    cut.write_bytes((SHARED / "evtx" / LOG).read_bytes()[:size])
    assert _read(cut) == (RECORDS, [])


@needs_shared
@pytest.mark.parametrize("missing", [1_000, CHUNK - 1, CHUNK, CHUNK + 30_000])
def test_records_before_the_break_are_read_and_the_break_is_told(
    missing: int, tmp_path: Path
) -> None:
    assert SHARED is not None
    whole = (SHARED / "evtx" / LOG).read_bytes()
    cut = tmp_path / "cut.evtx"
    cut.write_bytes(whole[: HEADER + CHUNKS * CHUNK - missing])
    events, rejected = _read(cut)
    assert 0 < events <= RECORDS
    assert [(r.code, r.message) for r in rejected] == [
        ("SRC011", f"the file breaks off: {missing:,} bytes of its chunks are missing")
    ]


def test_an_event_in_the_data_of_a_record_cuts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def record(number: int, data: str) -> bytes:
        return (
            f"<Event><System><EventID>9</EventID><EventRecordID>{number}</EventRecordID>"
            f"<Channel>C</Channel></System><UserData>{data}</UserData></Event>"
        ).encode()

    nested = record(2, "<Event><a>2</a></Event><Event/>")
    records = [record(1, "<x><a>1</a></x>"), nested, record(3, "<x><a>3</a></x>")]
    parser = SimpleNamespace(records=lambda: [{"data": r.decode()} for r in records])
    monkeypatch.setattr(evtx_records.evtx, "PyEvtxParser", lambda *_, **__: parser)
    items = list(evtx_records.decode("a.evtx"))
    assert items == [nested.decode(), records[0] + records[2], True]
    read = evtx_file._read_record("a.evtx", nested.decode())
    assert not isinstance(read, Rejected)
    assert read.fields["EventRecordID"].to_pylist() == ["2"]
    assert read.fields["a"].to_pylist() == ["2"]


def test_an_error_names_the_record() -> None:
    text = "<Event><System><EventRecordID>7</EventRecordID></Event>"
    read = evtx_file._read_record("a.evtx", text)
    assert isinstance(read, Rejected)
    assert (read.place, read.code) == ("record 7", "SRC020")
