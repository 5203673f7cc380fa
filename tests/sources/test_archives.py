"""tar and 7z, bzip2 and xz, passwords: what is in them, what is damaged, what is too much."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import py7zr
import pytest
import pyzipper
import zstandard

from escudo.core.errors import Diagnostic, Severity
from escudo.sources import archives
from escudo.sources.opening import LogStream, UnpackLimits, open_logs
from tests.sources.test_opening import EVENT, diagnostics_of, zipped

WAYS: dict[str, Callable[[bytes], bytes]] = {
    "tar": lambda data: data,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": zstandard.ZstdCompressor().compress,
}


def tarred(*, form: int = tarfile.PAX_FORMAT, **members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def seven_zipped(password: str | None = None, *, hidden: bool = False, **members: bytes) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password=password, header_encryption=hidden) as archive:
        for name, content in members.items():
            archive.writestr(content, name)
    return out.getvalue()


def aes_zipped(password: bytes, **members: bytes) -> bytes:
    out = io.BytesIO()
    with pyzipper.AESZipFile(
        out, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(password)
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def weakly_zipped(password: bytes, name: str, content: bytes) -> bytes:
    """A stored member under ZipCrypto (APPNOTE 6.1), which Python reads and does not write."""
    crc = zlib.crc32(content)
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = _crc_step(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = _crc_step(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    sealed = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + content:
        mask = keys[2] | 2
        sealed.append(byte ^ (((mask * (mask ^ 1)) >> 8) & 0xFF))
        update(byte)
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr(name, bytes(sealed))
    packed = bytearray(plain.getvalue())
    for magic, flags, at in ((b"PK\x03\x04", 6, 14), (b"PK\x01\x02", 8, 16)):
        start = packed.find(magic)
        packed[start + flags] |= 1
        packed[start + at : start + at + 4] = crc.to_bytes(4, "little")
        packed[start + at + 8 : start + at + 12] = len(content).to_bytes(4, "little")
    return bytes(packed)


def _crc_step(value: int, byte: int) -> int:
    value ^= byte & 0xFF
    for _ in range(8):
        value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value


def unpack(
    data: bytes, *passwords: bytes, limits: UnpackLimits | None = None
) -> tuple[dict[str, bytes], list[Diagnostic]]:
    """The logs by their names inside, each read when it comes, and what was told."""
    logs: dict[str, bytes] = {}
    told: list[Diagnostic] = []
    chosen = limits or UnpackLimits(passwords=passwords)
    for item in open_logs(["-"], stdin=io.BytesIO(data), limits=chosen):
        if isinstance(item, Diagnostic):
            told.append(item)
            continue
        for _ in range(2):
            logs[item.name.removeprefix("-!")] = read_on(item)
    return logs, told


def read_on(log: LogStream) -> bytes:
    """What can be read of a log."""
    read = b""
    with suppress(tarfile.ReadError, EOFError), log.open() as stream:
        while piece := stream.read(1000):
            read += piece
    return read


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tar(way: str, form: int, tmp_path: Path) -> None:
    path = tmp_path / "logs"
    members = {"day/a.xml": EVENT, "note.txt": b"nothing", "b.xml": EVENT * 3000}
    path.write_bytes(WAYS[way](tarred(form=form, **members)))
    found = list(open_logs([path]))
    assert diagnostics_of(found) == ["SRC004"]
    logs = [item for item in found if isinstance(item, LogStream)]
    assert [log.name for log in logs] == [f"{path}!day/a.xml", f"{path}!b.xml"]
    assert {log.container for log in logs} == {str(path)}
    assert {log.modified for log in logs} == {1_700_000_000.0}
    assert [log.open().read() for log in logs] == [EVENT, EVENT * 3000]


def test_archives_in_archives() -> None:
    inner = {"a.7z": seven_zipped(x=EVENT), "b.zip": zipped(y=EVENT), "c": bz2.compress(EVENT)}
    logs, told = unpack(lzma.compress(tarred(**inner)))
    assert logs == {"a.7z!x": EVENT, "b.zip!y": EVENT, "c": EVENT}
    assert told == []


def test_seven_zip_keeps_whole_what_may_be_a_log() -> None:
    big = b"\x00" * 5_000_000
    logs, told = unpack(seven_zipped(**{"d/a.xml": EVENT * 2000, "big.bin": big, "e": b""}))
    assert logs == {"d/a.xml": EVENT * 2000}
    assert sorted(d.code for d in told) == ["SRC003", "SRC004"]


@pytest.mark.parametrize(
    "lock",
    [
        lambda: seven_zipped("right", a=EVENT),
        lambda: seven_zipped("right", hidden=True, a=EVENT),
        lambda: aes_zipped(b"right", a=EVENT),
        lambda: weakly_zipped(b"right", "a", EVENT),
    ],
    ids=["7z", "7z with hidden names", "zip with AES", "zip with ZipCrypto"],
)
@pytest.mark.parametrize(
    ("passwords", "code"),
    [([], "SRC007"), ([b"wrong"], "SRC016"), ([b"wrong", b"right"], None)],
    ids=["none", "wrong", "right"],
)
def test_passwords(lock: Callable[[], bytes], passwords: list[bytes], code: str | None) -> None:
    logs, told = unpack(tarred(before=EVENT, locked=lock(), after=EVENT), *passwords)
    expected = {"before": EVENT, "after": EVENT} | ({} if code else {"locked!a": EVENT})
    assert logs == expected
    assert [(d.code, d.severity) for d in told] == ([(code, Severity.ERROR)] if code else [])
    assert not any("right" in d.message or "wrong" in d.message for d in told)


def test_without_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "find_spec", lambda _name: None)
    data = tarred(a=seven_zipped(x=EVENT), b=aes_zipped(b"p", y=EVENT), c=EVENT)
    logs, told = unpack(data, b"p")
    assert logs == {"c": EVENT}
    assert [d.code for d in told] == ["SRC017", "SRC017"]
    assert all("pip install 'escudo[archives]'" in d.message for d in told)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_tar_that_breaks_off_gives_what_comes_before(way: str) -> None:
    noise = bytes((i * 7919 + i // 251) % 256 for i in range(200_000))
    whole = WAYS[way](tarred(a=EVENT, b=EVENT * 4000, c=noise))
    logs, told = unpack(whole[: len(whole) * 9 // 10])
    assert logs.get("a") == EVENT
    assert [d.code for d in told][-1] == "SRC006"


def test_a_log_that_breaks_off_in_a_tar_is_read_up_to_there() -> None:
    whole = tarred(a=EVENT, b=EVENT * 4000)
    logs, told = unpack(whole[: len(whole) // 2])
    assert logs["b"] + (EVENT * 4000)[len(logs["b"]) :] == EVENT * 4000
    assert len(logs["b"]) > len(EVENT) * 1000
    assert [d.code for d in told] == ["SRC006"]


@pytest.mark.parametrize(
    "pack",
    [
        lambda: lzma.compress(tarred(a=EVENT, big=bytes(3_000_000))),
        lambda: bz2.compress(EVENT + bytes(3_000_000)),
        lambda: seven_zipped(a=EVENT, big=bytes(3_000_000)),
    ],
    ids=["tar.xz", "bz2", "7z"],
)
def test_bombs(pack: Callable[[], bytes]) -> None:
    data = pack()
    assert len(data) < 10_000
    told = []
    for item in open_logs(["-"], stdin=io.BytesIO(data), limits=UnpackLimits(most_bytes=1 << 20)):
        if isinstance(item, LogStream) and item.name == "-":
            with pytest.raises(Exception, match="unpacks to more than"), item.open() as stream:
                stream.read()
            told.append("SRC014")
        elif isinstance(item, Diagnostic):
            told.append(item.code)
    assert "SRC014" in told


def test_too_many_members() -> None:
    members = {f"m{n}": EVENT for n in range(5)}
    for data in (tarred(**members), seven_zipped(**members)):
        logs, told = unpack(data, limits=UnpackLimits(most_members=3))
        assert len(logs) == 3
        assert [d.code for d in told] == ["SRC014"]


def test_a_sparse_file_counts_its_holes() -> None:
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.name": "sparse",
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.map": "0,10",
    }
    info.size = 10
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(bytes(10)))
    logs, told = unpack(out.getvalue())
    assert (logs, [d.code for d in told]) == ({}, ["SRC014"])


def test_a_name_that_claims_a_gigabyte_is_not_read() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    logs, told = unpack(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    assert (logs, [d.code for d in told]) == ({}, ["SRC006"])
    assert "a name or attribute of 1,073,741,824 bytes" in told[0].message


def test_an_xz_dictionary_of_gigabytes_is_refused() -> None:
    packed = bytearray(lzma.compress(EVENT))
    # The byte of the dictionary's size in the block header (xz format, 5.3.1): 39 is 3 GiB.
    at = packed.index(b"\x21\x01", 12) + 2
    packed[at] = 39
    size = (packed[12] + 1) * 4
    checked = zlib.crc32(bytes(packed[12 : 12 + size - 4]))
    packed[12 + size - 4 : 12 + size] = checked.to_bytes(4, "little")
    logs, told = unpack(bytes(packed))
    assert (logs, [d.code for d in told]) == ({}, ["SRC006"])


def test_several_xz_streams_with_padding() -> None:
    data = lzma.compress(EVENT) + bytes(8) + lzma.compress(EVENT)
    assert unpack(data) == ({"-": EVENT * 2}, [])
