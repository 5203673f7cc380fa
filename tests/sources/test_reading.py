"""Damaged input: nothing crashes, and the good events beside the bad ones are kept."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.sources.format_detection import Format
from escudo.sources.notes import Kind, Note
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, read
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared
from tests.sources.support import event, read_bytes, rows_of, stream_of

XML = [event(n, f"<Data Name='Image'>C:\\{n}.exe</Data>") for n in range(60)]
JSON = [json.dumps({"EventID": 1, "Channel": "Security", "RecordNumber": n}) for n in range(300)]


def test_a_batch_has_at_most_so_many_rows() -> None:
    data = "\n".join(XML * 10).encode()
    batches = [
        b for b in read(stream_of(data), FAMILIES, batch_rows=100) if isinstance(b, RawBatch)
    ]
    assert [b.table.num_rows for b in batches] == [100] * 6
    assert {b.family.name for b in batches} == {"sysmon"}


def test_one_file_may_hold_several_families() -> None:
    security = event(2, channel="Security", provider="Microsoft-Windows-Security-Auditing")
    text = event(1) + security + event(3, channel="System", provider="Service Control Manager")
    rows, _ = read_bytes(text.encode())
    assert {(r["EventRecordID"], r["family"]) for r in rows} == {
        ("1", "sysmon"),
        ("2", "windows_security"),
        ("3", "windows_other"),
    }


def test_an_event_without_a_time_has_that_of_its_file() -> None:
    stream = LogStream("x", Format.JSON_EVENTS, stream_of(b'{"a":1}\n').opener, "x", modified=1.5)
    [row], _ = rows_of(read(stream, FAMILIES))
    assert row["_time"].timestamp() == 1.5


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_xml_cut_anywhere_keeps_what_is_whole(data: st.DataObject) -> None:
    text = "\n".join(XML).encode()
    cut = data.draw(st.integers(0, len(text)))
    whole = text[:cut].count(b"</Event>")
    rows, rejected = read_bytes(text[:cut], format=Format.EVENT_XML)
    assert [r["EventRecordID"] for r in rows] == [str(n) for n in range(whole)]
    assert len(rejected) == bool(text[:cut].rpartition(b"</Event>")[2].strip())


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_json_cut_anywhere_keeps_what_is_whole(data: st.DataObject) -> None:
    text = "\n".join(JSON).encode()
    cut = data.draw(st.integers(0, len(text)))
    lines = [line for line in text[:cut].split(b"\n") if line]
    whole = [line for line in lines if line.endswith(b"}")]
    rows, rejected = read_bytes(text[:cut], format=Format.JSON_EVENTS)
    assert len(rows) == len(whole)
    assert len(rejected) == len(lines) - len(whole)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(
    lines=st.sampled_from([XML, JSON]),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=5),
)
def test_flipped_bytes_spoil_only_their_events(
    lines: list[str], flips: list[tuple[int, int]]
) -> None:
    text = bytearray("\n".join(lines).encode())
    touched = set()
    for at, mask in flips:
        place = at % len(text)
        text[place] ^= mask
        touched.add("\n".join(lines).encode()[:place].count(b"\n"))
    format = Format.EVENT_XML if lines is XML else Format.JSON_EVENTS
    rows, _ = read_bytes(bytes(text), format=format)
    found = {row["EventRecordID"] for row in rows if "EventRecordID" in row}
    # A line end that is gone joins two events: the next one may be lost with it.
    spared = {str(n) for n in range(len(lines)) if not {n, n - 1, n + 1} & touched}
    assert spared <= found


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300), format=st.sampled_from(list(Format)))
def test_junk_never_crashes(data: bytes, format: Format) -> None:
    rows_of(read(stream_of(data, format), FAMILIES))


def _small_log() -> bytes:
    assert SHARED is not None
    path = (
        SHARED / "evtx" / "Lateral Movement" / "LM_wmi_PoisonHandler_Mr-Un1k0d3r_sysmon_1_13.evtx"
    )
    if not path.exists():
        path = min(SHARED.rglob("*.evtx"), key=lambda p: p.stat().st_size)
    return path.read_bytes()


@needs_shared
@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 255)), max_size=20),
    cut=st.floats(0, 1),
)
def test_a_damaged_event_log_gives_what_is_readable(
    flips: list[tuple[int, int]], cut: float
) -> None:
    data = bytearray(_small_log())
    data = data[: int(len(data) * cut)]
    for at, mask in flips:
        if data:
            data[at % len(data)] ^= mask
    rows, rejected = rows_of(read(stream_of(bytes(data), Format.EVTX), FAMILIES))
    assert rows or rejected


@needs_shared
def test_a_truncated_event_log_keeps_its_first_records() -> None:
    data = _small_log()
    rows, rejected = rows_of(read(stream_of(data[: 4096 + 65536 - 20000], Format.EVTX), FAMILIES))
    everything, _ = rows_of(read(stream_of(data, Format.EVTX), FAMILIES))
    assert 0 < len(rows) <= len(everything)
    assert rows == everything[: len(rows)] or {str(r) for r in rows} <= {str(r) for r in everything}
    assert all(r.code in ("SRC010", "SRC011") for r in rejected)


def test_a_file_with_the_magic_of_an_event_log_only() -> None:
    rows, rejected = read_bytes(b"ElfFile\0" + bytes(200))
    assert rows == []
    assert [r.code for r in rejected] == ["SRC011"]


def test_a_log_in_a_folder_beside_bad_ones(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress("\n".join(JSON).encode())[:-9])
    (tmp_path / "b").write_bytes("\n".join(XML).encode())
    found = [rows_of(read(s, FAMILIES)) for s in open_logs([tmp_path]) if isinstance(s, LogStream)]
    assert [len(rows) for rows, _ in found] == [300, 60]
    assert [[r.code for r in rejected] for _, rejected in found] == [["SRC006"], []]


CLASSIC = "07/01/2024 11:59:5{0} PM\nLogName=Security\nEventCode=4689\nMessage=A process ended."
FORMS = {
    "json lines": '{{"a":"{0}","time":"2024-01-01T00:00:0{0}Z"}}',
    "json": '{{\n "a": "{0}"\n}}',
    "xml": event().replace("{", "{{").replace("}", "}}"),
    "classic": CLASSIC,
    "text": "Mar  5 10:20:2{0} pc sshd[12]: Failed password for root from 192.0.2.4 port 22 ssh2",
    "csv": "2024-01-01T00:00:0{0}Z,a{0},b",
}


@pytest.mark.parametrize(
    "place", ["{0}\n{nul}{1}\n{2}\n", "{nul}{0}\n{1}\n{2}", "{0}{nul}{1}\n{2}\n"]
)
@pytest.mark.parametrize("size", [1, 600])
@pytest.mark.parametrize("form", FORMS)
def test_an_event_behind_nul_bytes_is_read_or_told(form: str, size: int, place: str) -> None:
    """A machine that crashes leaves blocks of them in a log, before what is written next."""
    events = [FORMS[form].format(number) for number in (1, 2, 3)]
    text = place.format(*events, nul="\0" * size)
    text = f"time,x,y\n{text}" if form == "csv" else text
    rows, rejected = read_bytes(text.encode(), format=Format.TEXT if form == "text" else None)
    torn = form in ("text", "csv") and place.startswith("{0}{nul}")  # two on one line
    assert (len(rows), len(rejected)) == ((1, 1) if torn else (3, 0))


@pytest.mark.parametrize("text", ["\0\n{0}{1}", "{0}\0\0\n\0\n{1}", "{0}\n{1}\n\0\n"])
def test_a_line_of_nul_bytes_between_objects_is_told(text: str) -> None:
    rows, rejected = read_bytes(text.format('{"a":\n1}', '{"a":\n2}').encode())
    assert len(rows) == 2
    assert [(r.code, r.count_lines()) for r in rejected] == [("SRC030", 1)]


@pytest.mark.parametrize(
    ("text", "format", "others"),
    [
        ("rubbish of a program\n" * 9_000 + CLASSIC.format(1), Format.CLASSIC_TEXT, 9_000),
        ("rubbish of a program\n" * 9_000, Format.CLASSIC_TEXT, 9_000),
        ("rubbish of a program\n" * 9_000 + event(), Format.EVENT_XML, 9_000),
        ("rubbish of a program\n" * 9_000 + '{\n"a": 1\n}', Format.JSON_EVENTS, 9_000),
        ("rubbish of a program\n" * 9_000 + '{"a": 1}', Format.JSON_EVENTS, 9_000),
    ],
)
def test_all_lines_of_a_long_run_of_rubbish_are_counted(
    text: str, format: Format, others: int
) -> None:
    notes: list[Note] = []
    rows, rejected = rows_of(read(stream_of(text.encode(), format), FAMILIES, note=notes.append))
    assert rejected == []
    assert sum(note.count for note in notes if note.kind is Kind.OTHER_LINES) == others
    assert len(rows) == (0 if text.endswith("program\n") else 1)
