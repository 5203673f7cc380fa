from __future__ import annotations

import errno
import gzip
import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard

from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.sources.notes import Note
from escudo.sources.opening import LogStream, UnpackLimits, open_logs
from escudo.sources.reading import read
from tests.families import FAMILIES
from tests.sources.support import diagnostics_of, event, rows_of

EVENT = event().encode() + b"\n"
JSON = b'{"EventID":1,"Channel":"Security","Hostname":"pc1"}\n'


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def streams(paths: Sequence[Path | str], stdin: bytes | None = None) -> list[LogStream]:
    opened = open_logs(paths, stdin=None if stdin is None else io.BytesIO(stdin))
    return [item for item in opened if isinstance(item, LogStream)]


@pytest.mark.parametrize(
    ("data", "name", "content"),
    [
        (EVENT, "{}", EVENT),
        (gzip.compress(EVENT), "{}", EVENT),
        (gzip.compress(EVENT) + gzip.compress(EVENT), "{}", EVENT * 2),
        (zst(EVENT), "{}", EVENT),
        (zst(EVENT) + zst(EVENT), "{}", EVENT * 2),
        (gzip.compress(zst(EVENT)), "{}", EVENT),
        (zipped(a=EVENT), "{}!a", EVENT),
        (zipped(a=gzip.compress(EVENT)), "{}!a", EVENT),
        (zipped(a=zipped(b=JSON)), "{}!a!b", JSON),
        (gzip.compress(zipped(b=JSON)), "{}!b", JSON),
        (zipped(a=zipped(b=zst(JSON))), "{}!a!b", JSON),
    ],
)
def test_whatever_is_packed_is_unpacked(
    data: bytes, name: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "anything.bin"
    path.write_bytes(data)
    [stream] = streams([path])
    assert stream.name == name.format(path)
    for _ in range(2):
        with stream.open() as opened:
            assert opened.read() == content


@pytest.mark.parametrize("data", [EVENT, gzip.compress(EVENT), zst(EVENT), zipped(a=EVENT)])
def test_standard_input(data: bytes) -> None:
    [stream] = streams(["-"], stdin=data)
    assert stream.name.startswith("-")
    assert rows_of(read(stream, FAMILIES))[0][0]["Image"] == "C:\\a.exe"


def test_standard_input_longer_than_what_is_looked_at() -> None:
    [stream] = streams(["-"], stdin=EVENT * 2000)
    rows, rejected = rows_of(read(stream, FAMILIES))
    assert (len(rows), rejected) == (2000, [])


def test_folders_are_walked_in_order_and_names_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "x.evtx").write_bytes(JSON)
    (tmp_path / "a.json").write_bytes(EVENT)
    (tmp_path / "readme.xml").write_bytes(b"nothing to see")
    found = list(open_logs([tmp_path]))
    assert [s.name for s in found if isinstance(s, LogStream)] == [
        str(tmp_path / "a.json"),
        str(tmp_path / "b" / "c" / "x.evtx"),
    ]
    assert [(d.code, d.severity) for d in found if isinstance(d, Diagnostic)] == [
        ("SRC004", Severity.INFO)
    ]


def test_bad_files_say_so_and_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "good").write_bytes(EVENT)
    (tmp_path / "nothing").mkdir()
    names = ["missing", "empty", "junk", "nothing", "good"]
    found = list(open_logs([tmp_path / name for name in names]))
    assert diagnostics_of(found) == ["SRC001", "SRC003", "SRC004", "SRC005"]
    assert all(d.severity is Severity.ERROR for d in found if isinstance(d, Diagnostic))
    assert isinstance(found[-1], LogStream)


@pytest.mark.parametrize(
    "rubbish", [bytes(100_000), b"not a log\n" * 10_000, bytes(range(256)) * 400]
)
def test_what_is_behind_much_rubbish_is_found_in_a_file_that_is_named(
    rubbish: bytes, tmp_path: Path
) -> None:
    """A crash leaves blocks of NUL bytes. Each event behind is read, and the rubbish is told."""
    path = tmp_path / "log"
    path.write_bytes(rubbish + b"\n" + JSON * 3)
    [stream] = streams([path])
    told: list[Note] = []
    rows, rejected = rows_of(read(stream, FAMILIES, note=told.append))
    assert len(rows) == 3
    assert told or rejected
    assert diagnostics_of(open_logs([tmp_path])) == ["SRC004", "SRC005"]


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    path.write_bytes(EVENT)

    def refuse(self: Path, *args: object, **kwargs: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert diagnostics_of(open_logs([path])) == ["SRC002"]


def test_a_truncated_gzip_gives_what_comes_before(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    packed = gzip.compress(b"".join(event(n).encode() + b"\n" for n in range(5000)))
    path.write_bytes(packed[: len(packed) // 2])
    [stream] = streams([path])
    rows, rejected = rows_of(read(stream, FAMILIES))
    assert len(rows) > 1000
    assert [r.code for r in rejected] == ["SRC020", "SRC006"]


def test_a_truncated_zip(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    path.write_bytes(zipped(a=EVENT * 100)[:-60])
    assert diagnostics_of(open_logs([path])) == ["SRC006"]


def test_a_zip_member_without_a_name(tmp_path: Path) -> None:
    packed = zipped(a=EVENT, b=EVENT)
    at = packed.find(b"PK\x01\x02")
    nameless = bytearray(packed)
    nameless[at + 28 : at + 32] = b"\x00\x00\x01\x00"  # its name is extra data now
    path = tmp_path / "log.zip"
    path.write_bytes(nameless)
    assert f"{path}!b" in [s.name for s in open_logs([path]) if isinstance(s, LogStream)]


def test_an_encrypted_member_does_not_hide_the_others(tmp_path: Path) -> None:
    packed = bytearray(zipped(a=EVENT, b=EVENT))
    at = packed.find(b"PK\x01\x02")
    packed[at + 8] |= 1
    packed[6] |= 1
    path = tmp_path / "log.zip"
    path.write_bytes(packed)
    found = list(open_logs([path]))
    assert diagnostics_of(found) == ["SRC007"]
    assert [s.name for s in found if isinstance(s, LogStream)] == [f"{path}!b"]


def test_nesting_has_an_end(tmp_path: Path) -> None:
    data = EVENT
    for _ in range(12):
        data = gzip.compress(data)
    path = tmp_path / "deep"
    path.write_bytes(data)
    assert diagnostics_of(open_logs([path])) == ["SRC008"]


def test_an_archive_without_logs(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(a=b"text"))
    assert diagnostics_of(open_logs([path])) == ["SRC004", "SRC004"]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_of_any_method_ends_that_member(method: int, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("bad", EVENT * 50)
        archive.writestr("good", EVENT, zipfile.ZIP_STORED)
    packed = bytearray(out.getvalue())
    packed[40:60] = b"\xff" * 20  # in the packed bytes of the first member
    path = tmp_path / "log.zip"
    path.write_bytes(packed)
    found = list(open_logs([path]))
    assert [s.name for s in found if isinstance(s, LogStream)] == [f"{path}!good"]
    assert diagnostics_of(found) == ["SRC006"]


def test_a_member_packed_by_an_unknown_method(tmp_path: Path) -> None:
    packed = bytearray(zipped(a=EVENT, b=EVENT))
    at = packed.find(b"PK\x01\x02")
    packed[8:10] = packed[at + 10 : at + 12] = (99).to_bytes(2, "little")
    path = tmp_path / "log.zip"
    path.write_bytes(packed)
    found = list(open_logs([path]))
    assert diagnostics_of(found) == ["SRC006"]
    assert [s.name for s in found if isinstance(s, LogStream)] == [f"{path}!b"]


def test_what_an_archive_unpacks_to_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(EVENT * 10_000))
    limits = UnpackLimits(most_bytes=2 << 20)
    [stream] = (s for s in open_logs([path], limits=limits) if isinstance(s, LogStream))
    rows, rejected = rows_of(read(stream, FAMILIES))
    assert 0 < len(rows) < 10_000
    assert rejected[-1].code == "SRC014"


def test_the_members_of_an_archive_are_limited(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(zipped(a=EVENT, b=EVENT, c=EVENT))
    found = list(open_logs([path], limits=UnpackLimits(most_members=2)))
    assert [s.name for s in found if isinstance(s, LogStream)] == [f"{path}!a", f"{path}!b"]
    assert diagnostics_of(found) == ["SRC014"]


def test_a_full_disk_is_no_damaged_log(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk:
        def __init__(self, max_size: int) -> None:
            pass

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", FullDisk)
    with pytest.raises(EscudoError, match="SRC009"):
        list(open_logs(["-"], stdin=io.BytesIO(gzip.compress(EVENT))))


def test_what_tools_keep_for_themselves_is_passed_over(tmp_path: Path) -> None:
    event = b'{"event_simpleName": "ProcessRollup2"}\n'
    for name in (".git", "node_modules", "deep/__pycache__", "$RECYCLE.BIN", "logs"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.json").write_bytes(event)
    (tmp_path / "logs" / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    streams, told = [], []
    for item in open_logs([tmp_path]):
        (told if isinstance(item, Diagnostic) else streams).append(item)
    assert [s.name for s in streams] == [str(tmp_path / "logs" / "a.json")]
    (note,) = told
    assert (note.code, note.severity) == ("SRC040", Severity.INFO)
    names = "$RECYCLE.BIN, .DS_Store, .git, __pycache__, node_modules"
    assert note.message == f"5 passed over, which hold no logs: {names}"
    # one that is named is read
    named = list(open_logs([tmp_path / ".git", tmp_path / "deep" / "__pycache__" / "a.json"]))
    assert [type(i).__name__ for i in named] == ["LogStream", "LogStream"]
