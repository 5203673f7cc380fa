"""Archives -> their members as byte streams, compressed streams -> their bytes; ``opening`` walks
them. zip, tar and 7z; bz2 and xz.

A member of a zip file is unpacked when it is opened. A tar file is read once, from front to back:
one member at a time is copied, to memory or a temporary file. A 7z archive is unpacked once, to one
temporary file, in which only members stay whose first bytes may be of a log.
"""

from __future__ import annotations

import lzma
import os
import re
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, BinaryIO, cast

from escudo.sources.streams import STREAM_BUFFER, FilePart, PieceStream, spool_stream

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
SEVEN_ZIP_MAGIC = b"7z\xbc\xaf\x27\x1c"
XZ_MAGIC = b"\xfd7zXZ\x00"
_BZ2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", re.DOTALL)

_ENCRYPTED = 0x1
_AES = 99
"""``compress_type`` of a zip member with AES (WinZip's AE-1 and AE-2)."""
_TRIED_BYTES = 1 << 16
"""Bytes of a member that are read to see whether a password is right."""
_XZ_MEMORY = 512 << 20
"""Bytes that a dictionary of xz may take; ``xz -9`` makes 64 MB."""
_TAR_NAMES = frozenset(b"xgLKX")
_LONGEST_NAME = 1 << 20
"""Bytes of a long name or of extended attributes in a tar file, which are read at once."""


class TooMuchUnpackedError(Exception):
    """A file unpacks to more than the limits allow."""


class PasswordMissingError(Exception):
    """A member is encrypted, and there is no password to try."""


class WrongPasswordError(Exception):
    """A member is encrypted, and no password opens it."""


class MissingExtraError(Exception):
    """A library of the extra ``archives`` is needed."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; ``size`` in bytes and ``modified`` (epoch) where they are known."""

    name: str
    opener: Callable[[], BinaryIO]
    size: int | None
    modified: float


def is_bz2(head: bytes) -> bool:
    """Whether a stream is bzip2's, by its first bytes."""
    return _BZ2.match(head) is not None


def is_tar(head: bytes) -> bool:
    """Whether a stream is a tar file, by the mark and the checksum of its first header.

    >>> is_tar(tarfile.TarInfo("a").tobuf()), is_tar(b"ustar" * 200)
    (True, False)
    """
    if head[257:262] != b"ustar" or len(head) < tarfile.BLOCKSIZE:
        return False
    block = head[: tarfile.BLOCKSIZE]
    written = block[148:156].strip(b" \0")
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    return written.isdigit() and int(written, 8) == total if b"8" not in written else False


def _require(library: str, what: str) -> ModuleType:
    if find_spec(library) is None:
        raise MissingExtraError(
            f"{what} needs the extra 'archives': pip install 'escudo[archives]'"
        )
    return import_module(library)


# --- compressed streams ---------------------------------------------------------------------------


class _Xz(PieceStream):
    """The bytes of an xz stream, or of several one after the other, in bounded memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder: lzma.LZMADecompressor | None = None
        self._rest = b""

    def next_piece(self, size: int) -> bytes:
        while True:
            if self._decoder is None or self._decoder.eof:
                if self._decoder is not None:
                    self._rest = self._decoder.unused_data
                self._rest = (self._rest or self._stream.read(1 << 16)).lstrip(b"\0")
                if not self._rest:
                    return b""
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
            if self._decoder.needs_input and not self._rest:
                self._rest = self._stream.read(1 << 16)
                if not self._rest:
                    raise EOFError("the xz stream ends early")
            given, self._rest = self._rest, b""
            data = self._decoder.decompress(given, size)
            if data:
                return data

    def close(self) -> None:
        self._stream.close()
        super().close()


def open_xz(stream: BinaryIO) -> BinaryIO:
    """The unpacked bytes of an xz stream; closing it closes the stream."""
    return _Xz(stream).buffered(STREAM_BUFFER)


# --- zip ------------------------------------------------------------------------------------------


def list_zip(stream: BinaryIO, passwords: Sequence[bytes]) -> list[Member]:
    """The files of a zip archive, by name; each is unpacked when it is opened.

    Opening an encrypted one raises ``PasswordMissingError``, ``WrongPasswordError`` or, where it is
    encrypted with AES and the library is not there, ``MissingExtraError``.
    """
    archive: Any = zipfile.ZipFile(stream)
    if any(m.compress_type == _AES for m in archive.infolist()) and find_spec("pyzipper"):
        archive = import_module("pyzipper").AESZipFile(stream)
    return [
        Member(m.filename, _zip_opener(archive, m, passwords), m.file_size, _zip_time(m))
        for m in sorted(archive.infolist(), key=lambda m: str(m.filename))
        # Not ZipInfo.is_dir: it raises on a member without a name.
        if not m.filename.endswith("/") and not m.filename.startswith("__MACOSX/")
    ]


def _zip_opener(
    archive: Any, member: zipfile.ZipInfo, passwords: Sequence[bytes]
) -> Callable[[], BinaryIO]:
    return lambda: _open_zip_member(archive, member, passwords)


def _open_zip_member(archive: Any, member: zipfile.ZipInfo, passwords: Sequence[bytes]) -> BinaryIO:
    if not member.flag_bits & _ENCRYPTED:
        return cast(BinaryIO, archive.open(member))
    if not passwords:
        raise PasswordMissingError("it is encrypted; give its password (--password)")
    if member.compress_type == _AES:
        _require("pyzipper", "a zip file encrypted with AES")
    for password in passwords:
        try:
            with archive.open(member, pwd=password) as tried:
                tried.read(_TRIED_BYTES)
        except (RuntimeError, ValueError, EOFError, OSError, zlib.error, lzma.LZMAError):
            continue
        except Exception as error:  # zipfile's and pyzipper's own BadZipFile: not each other's
            if type(error).__name__ != "BadZipFile":
                raise
            continue
        return cast(BinaryIO, archive.open(member, pwd=password))
    raise WrongPasswordError("it is encrypted, and no password that was given opens it")


def _zip_time(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


# --- tar ------------------------------------------------------------------------------------------


class _TarInfo(tarfile.TarInfo):
    """A header of a tar file; long names, which are read at once, are bounded."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _TarInfo:
        header = super().frombuf(buf, encoding, errors)
        if header.type[0] in _TAR_NAMES and header.size > _LONGEST_NAME:
            raise tarfile.ReadError(f"a name or attribute of {header.size:,} bytes")
        return header


def walk_tar(stream: BinaryIO, *, take_bytes: Callable[[int], None]) -> Iterator[Member]:
    """The files of a tar stream, in its order; each can be opened until the next one is asked for.

    Args:
        stream: need not be seekable.
        take_bytes: is told of bytes that the stream has not: holes of a sparse file.

    Raises:
        tarfile.TarError: where the stream is damaged; whatever reading the stream raises.
    """
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_TarInfo) as archive:
        for header in archive:
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            if not header.isreg():
                continue
            content = archive.extractfile(header)
            assert content is not None
            if header.issparse():
                take_bytes(header.size)
            torn = _Torn(cast(BinaryIO, content))
            again = spool_stream(cast(BinaryIO, torn))
            opener = _torn_opener(again, torn.error) if torn.error is not None else again
            yield Member(header.name, opener, header.size, float(header.mtime))
            if torn.error is not None:
                raise torn.error


class _Torn(PieceStream):
    """A stream that ends where reading fails; ``error`` says why."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: Exception | None = None

    def next_piece(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except Exception as error:
            self.error = error
            return b""


class _Raising(PieceStream):
    """A stream that fails at its end."""

    def __init__(self, stream: BinaryIO, error: Exception) -> None:
        self._stream = stream
        self._error = error

    def next_piece(self, size: int) -> bytes:
        data = self._stream.read(size)
        if not data:
            raise self._error
        return data


def _torn_opener(opener: Callable[[], BinaryIO], error: Exception) -> Callable[[], BinaryIO]:
    return lambda: _Raising(opener(), error).buffered()


# --- 7z -------------------------------------------------------------------------------------------


class _Part:
    """What py7zr writes one member to (its ``Py7zIO``): the end of a shared file."""

    def __init__(self, file: BinaryIO, unpacking: _Unpacking, name: str) -> None:
        self.name = name
        self.start = file.seek(0, os.SEEK_END)
        self.length = 0
        self._file = file
        self._unpacking = unpacking
        self._kept: bool | None = None

    def write(self, data: bytes | bytearray) -> int:
        self._unpacking.take_bytes(len(data))
        if self._kept is None and self.length >= self._unpacking.head_bytes:
            self._file.seek(self.start)
            self._kept = self._unpacking.keep(self._file.read(self._unpacking.head_bytes))
        if self._kept is not False:
            self._file.seek(self.start + self.length)
            self._file.write(data)
            self.length += len(data)
        return len(data)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset

    def flush(self) -> None:
        pass

    def size(self) -> int:
        return self.length

    def close(self) -> None:
        pass

    def open(self) -> BinaryIO:
        return FilePart(self._file, self.start, self.length).buffered()


@dataclass(frozen=True, slots=True)
class _Unpacking:
    """``take_bytes`` is told of what is unpacked; ``keep`` says by its first ``head_bytes`` whether
    a member is kept whole."""

    take_bytes: Callable[[int], None]
    keep: Callable[[bytes], bool]
    head_bytes: int


class _Parts:
    """Makes a ``_Part`` for each member (py7zr's ``WriterFactory``)."""

    def __init__(self, unpacking: _Unpacking) -> None:
        self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
        self._unpacking = unpacking
        self.made: list[_Part] = []

    def create(self, filename: str) -> _Part:
        self.made.append(_Part(self._file, self._unpacking, filename))
        return self.made[-1]


def walk_7z(
    stream: BinaryIO,
    passwords: Sequence[bytes],
    *,
    take_bytes: Callable[[int], None],
    keep: Callable[[bytes], bool],
    head_bytes: int,
) -> Iterator[Member]:
    """The files of a 7z archive, in its order. It is unpacked when the first one is asked for.

    Args:
        stream: seekable.
        take_bytes: is told of what is unpacked; what it raises ends it.
        keep: whether a member may be wanted, by its first ``head_bytes``; of others these stay.

    Raises:
        PasswordMissingError, WrongPasswordError, MissingExtraError; whatever the library raises for
        an archive that is damaged, after the members before the damage.
    """
    library = _require("py7zr", "a 7z archive")
    unpacking = _Unpacking(take_bytes, keep, head_bytes)
    encrypted = False
    for password in (None, *passwords):
        stream.seek(0)
        parts, damage = _Parts(unpacking), None
        times: dict[str, float] = {}
        try:
            secret = None if password is None else password.decode("utf-8", "surrogateescape")
            with library.SevenZipFile(stream, password=secret) as archive:
                if password is None and archive.needs_password():
                    encrypted = True
                    continue
                for told in archive.list():
                    if told.creationtime is not None:
                        times[told.filename] = told.creationtime.timestamp()
                archive.extractall(factory=parts)  # nosec B202: into memory
        except library.exceptions.PasswordRequired:
            encrypted = True
            continue
        except Exception as error:
            if encrypted and not isinstance(error, TooMuchUnpackedError):
                continue
            damage = error
        whole = parts.made if damage is None else parts.made[:-1]
        for part in whole:
            yield Member(part.name, part.open, part.length, times.get(part.name, 0.0))
        if damage is not None:
            raise damage
        return
    if not passwords:
        raise PasswordMissingError("it is encrypted; give its password (--password)")
    raise WrongPasswordError("it is encrypted, and no password that was given opens it")
