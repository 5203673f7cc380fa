"""Paths -> byte streams of known formats: folders walked, archives unpacked; ``lake`` calls it."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from escudo.core.errors import Diagnostic, Severity, Span
from escudo.sources.format_detection import HEAD_BYTES, Format, detect_format

STDIN = "-"
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_DEPTH = 6
"""How many archives may be inside each other; a deeper one is SRC008."""
_HEAD_STEP = 1024
"""Bytes that are read of a head at once: those before damage are looked at still."""
_SPOOL_BYTES = 32 * 1024 * 1024
"""Bytes of a packed stream that stay in memory; a longer one goes to a temporary file."""
DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError)
"""What reading from a damaged compressed stream raises."""


@dataclass(frozen=True, slots=True)
class LogStream:
    """One log: bytes of a known format.

    ``name`` is the path as it was given (``archive.zip!member`` inside an archive); ``size`` the
    bytes at rest where they are known; ``modified`` (epoch) dates events that carry no time;
    ``path`` is the file itself where nothing wraps it. ``container`` is the path of what was
    opened for it: the outermost archive, or the log itself (``-`` for standard input).
    """

    name: str
    format: Format
    opener: Callable[[], BinaryIO] = field(repr=False)
    container: str
    size: int | None = None
    modified: float = 0.0
    path: Path | None = None

    def open(self) -> BinaryIO:
        """The bytes from the start; the caller closes the stream."""
        return self.opener()


@dataclass(frozen=True, slots=True)
class _Source:
    """A stream whose content is not known yet. ``asked`` is whether the user named it."""

    name: str
    opener: Callable[[], BinaryIO]
    container: str
    size: int | None
    modified: float
    path: Path | None
    asked: bool


def open_logs(
    paths: Sequence[Path | str], *, stdin: BinaryIO | None = None
) -> Iterator[LogStream | Diagnostic]:
    """Every log under the paths, in a stable order; ``-`` is standard input.

    Folders are walked; zip, gzip and zstd are unpacked, also inside each other. What cannot be
    read, or is no log, comes as a Diagnostic in its place: an error where the user named the
    file, else a warning (damaged) or a note (not a log). Nothing is raised for a bad file.

    >>> [d.code for d in open_logs(["/nonexistent"])]
    ['SRC001']
    """
    for given in paths:
        if str(given) == STDIN:
            yield from _standard_input(stdin or cast(BinaryIO, sys.stdin.buffer))
            continue
        path = Path(given)
        if path.is_dir():
            yield from _folder(path)
        elif not path.exists():
            yield _problem("SRC001", str(given), "no such file or directory", Severity.ERROR)
        else:
            yield from _file(path, asked=True)


def _problem(code: str, name: str, message: str, severity: Severity) -> Diagnostic:
    return Diagnostic(code, message, severity, Span(name, 1, 1, 1, 1))


def _folder(folder: Path) -> Iterator[LogStream | Diagnostic]:
    any_log = False
    for directory, below, names in os.walk(folder, followlinks=False, onerror=None):
        below.sort()
        for name in sorted(names):
            for item in _file(Path(directory) / name, asked=False):
                any_log = any_log or isinstance(item, LogStream)
                yield item
    if not any_log:
        yield _problem("SRC005", str(folder), "no logs in this directory", Severity.ERROR)


def _file(path: Path, *, asked: bool) -> Iterator[LogStream | Diagnostic]:
    try:
        facts = path.stat()
    except OSError as error:
        severity = Severity.ERROR if asked else Severity.WARNING
        yield _problem("SRC002", str(path), f"cannot be read: {error.strerror}", severity)
        return
    if not path.is_file():
        if asked:
            yield from _special(path)
        return
    opener = _path_opener(path)
    source = _Source(
        name=str(path),
        opener=opener,
        container=str(path),
        size=facts.st_size,
        modified=facts.st_mtime,
        path=path,
        asked=asked,
    )
    yield from _expand(source, depth=0)


def _path_opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _special(path: Path) -> Iterator[LogStream | Diagnostic]:
    """A pipe or device: read once, as standard input is."""
    try:
        with path.open("rb") as stream:
            yield from _once(str(path), stream)
    except OSError as error:
        yield _problem("SRC002", str(path), f"cannot be read: {error.strerror}", Severity.ERROR)


def _standard_input(stdin: BinaryIO) -> Iterator[LogStream | Diagnostic]:
    yield from _once(STDIN, stdin)


def _once(name: str, stream: BinaryIO) -> Iterator[LogStream | Diagnostic]:
    """A stream that cannot be rewound: plain text flows, anything packed is spooled first."""
    head = _first(stream)
    rest = io.BufferedReader(_Joined(head, stream), 1 << 20)
    if _packed(head) or detect_format(head) is Format.EVTX:
        opener = _spooled(rest)
    else:
        opener = _once_opener(head, rest)
    source = _Source(
        name=name,
        opener=opener,
        container=name,
        size=None,
        modified=time.time(),
        path=None,
        asked=True,
    )
    yield from _expand(source, depth=0)


def _first(stream: BinaryIO) -> bytes:
    """The first bytes: what there is, once its format shows, for a stream that comes slowly."""
    head = b""
    while len(head) < HEAD_BYTES and not (b"\n" in head and detect_format(head)):
        piece = _piece(stream, HEAD_BYTES - len(head))
        if not piece:
            break
        head += piece
    return head


def _piece(stream: BinaryIO, size: int) -> bytes:
    """At most so many bytes, without waiting for all of them where the stream can do that."""
    read = stream.read1 if isinstance(stream, io.BufferedIOBase) else stream.read
    return read(size) or b""


def _once_opener(head: bytes, rest: BinaryIO) -> Callable[[], BinaryIO]:
    """The first call looks at the head; the second hands out the stream itself."""
    calls = iter((lambda: cast(BinaryIO, io.BytesIO(head)), lambda: rest))
    return lambda: next(calls)()


class _Joined(io.RawIOBase):
    """Bytes already read, then the stream they came from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._head[: len(target)] or _piece(self._rest, len(target))
        self._head = self._head[len(target) :]
        target[: len(data)] = data
        return len(data)


def _packed(head: bytes) -> bool:
    return head.startswith((*_ZIP_MAGIC, _GZIP_MAGIC, _ZSTD_MAGIC))


def _spooled(stream: BinaryIO) -> Callable[[], BinaryIO]:
    """A copy that can be opened again and again and sought in; gone with its last user."""
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115
    shutil.copyfileobj(stream, spool, 1 << 20)

    def again() -> BinaryIO:
        spool.seek(0)
        return cast(BinaryIO, io.BufferedReader(_Shared(spool)))

    return again


class _Shared(io.RawIOBase):
    """A view of a spool that leaves it open when closed."""

    def __init__(self, spool: tempfile.SpooledTemporaryFile[bytes]) -> None:
        self._spool = spool
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = self._at if whence == io.SEEK_CUR else 0
        self._spool.seek(base + offset, io.SEEK_END if whence == io.SEEK_END else io.SEEK_SET)
        self._at = self._spool.tell()
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        self._spool.seek(self._at)
        data = self._spool.read(len(target))
        self._at += len(data)
        target[: len(data)] = data
        return len(data)


def _expand(source: _Source, depth: int) -> Iterator[LogStream | Diagnostic]:
    """The logs inside one stream: itself, or what it packs."""
    severity = Severity.ERROR if source.asked else Severity.WARNING
    try:
        with source.opener() as stream:
            head = _head(stream)
    except DAMAGE as error:
        code = "SRC002" if depth == 0 else "SRC006"
        yield _problem(code, source.name, f"cannot be read: {error}", severity)
        return
    except NotImplementedError as error:
        yield _problem("SRC006", source.name, f"cannot be unpacked: {error}", severity)
        return
    except RuntimeError:  # zipfile's way to say that a member has a password
        yield _problem("SRC007", source.name, "the archive member is encrypted", Severity.WARNING)
        return
    if not head:
        yield _problem("SRC003", source.name, "the file is empty", severity)
    elif not _packed(head):
        yield from _log(source, head)
    elif depth == _MAX_DEPTH:
        yield _problem("SRC008", source.name, "archives are nested too deep", severity)
    elif head.startswith(_ZIP_MAGIC):
        yield from _zip(source, depth)
    else:
        unpack = _gunzip if head.startswith(_GZIP_MAGIC) else _unzstd
        inner = replace(source, opener=_layer(unpack, source.opener), size=None, path=None)
        yield from _expand(inner, depth + 1)


def _head(stream: BinaryIO) -> bytes:
    """The first bytes; where the stream is damaged, those before the damage, if there are any."""
    head = b""
    while len(head) < HEAD_BYTES:
        try:
            piece = stream.read(min(_HEAD_STEP, HEAD_BYTES - len(head)))
        except DAMAGE:
            if not head:
                raise
            return head
        if not piece:
            break
        head += piece
    return head


_PROSE = (
    ".md", ".markdown", ".rst", ".adoc", ".html", ".htm", ".py", ".rs", ".go", ".c", ".h", ".cs",
    ".java", ".js", ".ts", ".ps1", ".sh", ".yml", ".yaml",
)  # fmt: skip
"""Ends of the names of texts and programs, which show an event rather than log it."""


def _log(source: _Source, head: bytes) -> Iterator[LogStream | Diagnostic]:
    format = detect_format(head)
    severity = Severity.ERROR if source.asked else Severity.INFO
    prose = source.name.lower().endswith(_PROSE) and head.lstrip()[:1] not in (b"<", b"{", b"[")
    if format is not None and prose and not source.asked:
        message = "a text that shows an event is passed over; name the file to have it read"
        yield _problem("SRC004", source.name, message, severity)
        return
    if format is None:
        yield _problem("SRC004", source.name, "no log format recognised", severity)
        return
    yield LogStream(
        name=source.name,
        format=format,
        opener=source.opener,
        container=source.container,
        size=source.size,
        modified=source.modified,
        path=source.path,
    )


def _layer(
    unpack: Callable[[BinaryIO], BinaryIO], opener: Callable[[], BinaryIO]
) -> Callable[[], BinaryIO]:
    return lambda: unpack(opener())


def _gunzip(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))


def _unzstd(stream: BinaryIO) -> BinaryIO:
    reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, reader), 1 << 20))


def _zip(source: _Source, depth: int) -> Iterator[LogStream | Diagnostic]:
    severity = Severity.ERROR if source.asked else Severity.WARNING
    try:
        stream = source.opener()
        if source.path is None and depth > 0:
            with stream:
                stream = _spooled(stream)()
        archive = zipfile.ZipFile(stream)
    except DAMAGE as error:
        yield _problem("SRC006", source.name, f"the archive is damaged: {error}", severity)
        return
    any_log = False
    for member in sorted(archive.infolist(), key=lambda m: m.filename):
        if member.is_dir() or member.filename.startswith("__MACOSX/"):
            continue
        inner = _Source(
            name=f"{source.name}!{member.filename}",
            opener=_member_opener(archive, member),
            container=source.container,
            size=member.file_size,
            modified=_zip_time(member),
            path=None,
            asked=False,
        )
        for item in _expand(inner, depth + 1):
            any_log = any_log or isinstance(item, LogStream)
            yield item
    if source.asked and not any_log:
        yield _problem("SRC004", source.name, "no logs in this archive", severity)


def _member_opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    return lambda: cast(BinaryIO, archive.open(member))


def _zip_time(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
