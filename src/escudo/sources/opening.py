"""Paths -> byte streams of known formats: folders walked, archives unpacked; ``lake`` calls it."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import zstandard

from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.sources.archives import (
    SEVEN_ZIP_MAGIC,
    XZ_MAGIC,
    ZIP_MAGIC,
    Member,
    MissingExtraError,
    PasswordMissingError,
    TooMuchUnpackedError,
    WrongPasswordError,
    is_bz2,
    is_tar,
    list_zip,
    open_xz,
    walk_7z,
    walk_tar,
)
from escudo.sources.format_detection import (
    DEEP_BYTES,
    HEAD_BYTES,
    Format,
    detect_format,
    has_objects_between_lines,
)
from escudo.sources.listing import (
    STDIN,
    ListedFile,
    Piece,
    make_problem,
    tell_empty_folder,
    tell_passed,
    walk_folder,
)
from escudo.sources.streams import (
    STREAM_BUFFER,
    CountedStream,
    JoinedStream,
    open_part,
    read_piece,
    spool_stream,
)

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_DEPTH = 6
"""How many archives may be inside each other; a deeper one is SRC008."""
_HEAD_STEP = 1024
"""Bytes that are read of a head at once: those before damage are looked at still."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What a write to a temporary copy says where the disk is at fault, and not the log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnpackLimits:
    """What one file with all the archives in it may unpack to: bytes, and members of archives.
    ``passwords`` are tried on what is encrypted."""

    most_bytes: int = 64 << 30
    most_members: int = 100_000
    passwords: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Damage:
    """Why a stream cannot be read on: a code (None for the reader's own), and words."""

    code: str | None
    message: str


def judge_damage(error: Exception) -> Damage:
    """What a library raised while it read or unpacked -> why; also what no documentation names.

    Raises:
        EscudoError: SRC009 where a temporary copy had no room: that is not the log's fault.

    >>> judge_damage(EOFError("it ends early"))
    Damage(code=None, message='it ends early')
    """
    if isinstance(error, EscudoError):
        raise error
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        raise EscudoError("SRC009", f"{tempfile.gettempdir()}: {error.strerror}") from error
    if isinstance(error, TooMuchUnpackedError):
        return Damage("SRC014", str(error))
    if isinstance(error, MemoryError):
        return Damage("SRC006", "it asks for more memory than there is")
    if isinstance(error, PasswordMissingError):
        return Damage("SRC007", str(error))
    if isinstance(error, WrongPasswordError):
        return Damage("SRC016", str(error))
    if isinstance(error, MissingExtraError):
        return Damage("SRC017", str(error))
    if isinstance(error, OSError) and error.strerror:
        return Damage(None, error.strerror)
    return Damage(None, str(error) or type(error).__name__)


TextJudge: TypeAlias = Callable[[bytes, bool, bool], bool]
"""Of the first bytes of a text, whether its format is known otherwise, and whether the user named
it -> whether it is a log of lines."""
_OVER_TEXT = frozenset(Format) - {Format.CSV_EVENTS, Format.TEXT}
"""Formats that show for certain: what they are found in is no log of lines."""


def take_no_text(_head: bytes, _known: bool, _asked: bool) -> bool:
    """The judge that takes no text."""
    return False


class _Budget:
    """What one file may still unpack to, and which of its texts are logs."""

    def __init__(self, limits: UnpackLimits, judge: TextJudge) -> None:
        self._judge = judge
        self._limits = limits
        self._bytes = 0
        self._members = 0

    def take_bytes(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._limits.most_bytes:
            most = self._limits.most_bytes
            raise TooMuchUnpackedError(f"it unpacks to more than {most:,} bytes")

    def find_format(self, head: bytes, *, asked: bool) -> Format | None:
        """The format of a stream by its first bytes; text is one where it is judged a log."""
        format_ = detect_format(head)
        sure = format_ in _OVER_TEXT and not has_objects_between_lines(head, format_)
        if sure or not self._judge(head, format_ is not None, asked):
            return format_
        return Format.TEXT

    def take_member(self) -> bool:
        """Whether one more member may be opened."""
        self._members += 1
        return self._members <= self._limits.most_members

    @property
    def most_members(self) -> int:
        return self._limits.most_members

    @property
    def passwords(self) -> tuple[bytes, ...]:
        return self._limits.passwords


@dataclass(frozen=True, slots=True)
class LogStream:
    """One log: bytes of a known format.

    ``name`` is the path as it was given (``archive.zip!member`` inside an archive); ``size`` the
    bytes at rest where they are known; ``modified`` (epoch) dates events that carry no time;
    ``path`` is the file itself where nothing wraps it. ``container`` is the name of what was
    opened for it: the outermost archive, or the log itself (``-`` for standard input); ``file`` is
    where that is, unless it can be read only once. ``piece``: what of a log it is, if not all.
    """

    name: str
    format: Format
    opener: Callable[[], BinaryIO] = field(repr=False)
    container: str
    size: int | None = None
    modified: float = 0.0
    path: Path | None = None
    file: Path | None = None
    piece: Piece | None = None

    @property
    def first_line(self) -> int:
        """The number of its first line in the log."""
        return 1 if self.piece is None else self.piece.line

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
    file: Path | None
    asked: bool
    budget: _Budget


def open_logs(
    paths: Sequence[Path | str | ListedFile],
    *,
    stdin: BinaryIO | None = None,
    limits: UnpackLimits | None = None,
    judge: TextJudge = take_no_text,
) -> Iterator[LogStream | Diagnostic]:
    """Every log under the paths, in a stable order; ``-`` is standard input.

    Folders are walked, past those of ``PASSED_OVER``, whose number is a note (SRC040); zip, tar,
    7z, gzip, bzip2, xz and zstd are unpacked, also inside each other. What cannot be
    read, or is no log, comes as a Diagnostic in its place: an error where the user named the
    file, else a warning (damaged) or a note (not a log). Nothing is raised for a bad file,
    whatever its archive's library says. ``limits`` are those of each file that is opened; ``judge``
    says of text in no other format whether it is a log.

    Raises:
        EscudoError: SRC009 where there is no room for a temporary copy.

    >>> [d.code for d in open_logs(["/nonexistent"])]
    ['SRC001']
    """
    limits = limits or UnpackLimits()
    for given in paths:
        if isinstance(given, ListedFile):
            yield from _file(given, limits, judge)
            continue
        if str(given) == STDIN:
            stream = stdin or cast(BinaryIO, sys.stdin.buffer)
            yield from _once(STDIN, stream, _Budget(limits, judge))
            continue
        path = Path(given)
        if path.is_dir():
            yield from _folder(path, limits, judge)
        elif not path.exists():
            yield make_problem("SRC001", str(given), "no such file or directory", Severity.ERROR)
        else:
            yield from _file(ListedFile(path, True, 0), limits, judge)


def _folder(
    folder: Path, limits: UnpackLimits, judge: TextJudge
) -> Iterator[LogStream | Diagnostic]:
    any_log = False
    passed: Counter[str] = Counter()
    for path in walk_folder(folder, passed):
        for item in _file(ListedFile(path, False, 0), limits, judge):
            any_log = any_log or isinstance(item, LogStream)
            yield item
    yield from tell_passed(folder, passed)
    if not any_log:
        yield tell_empty_folder(folder)


def _file(
    given: ListedFile, limits: UnpackLimits, judge: TextJudge
) -> Iterator[LogStream | Diagnostic]:
    path, name = given.path, given.name
    try:
        facts = path.stat()
    except OSError as error:
        severity = Severity.ERROR if given.asked else Severity.WARNING
        yield make_problem("SRC002", name, f"cannot be read: {error.strerror}", severity)
        return
    if not path.is_file():
        if given.asked:
            yield from _special(path, _Budget(limits, judge))
        return
    modified = facts.st_mtime if given.modified is None else given.modified
    if given.piece is not None:
        yield LogStream(
            name=name,
            format=given.piece.format,
            opener=partial(open_part, path, given.piece.begin, given.piece.end),
            container=name,
            size=given.piece.end - given.piece.begin,
            modified=modified,
            file=path,
            piece=given.piece,
        )
        return
    opener = _path_opener(path)
    source = _Source(
        name=name,
        opener=opener,
        container=name,
        size=facts.st_size,
        modified=modified,
        path=path,
        file=path,
        asked=given.asked,
        budget=_Budget(limits, judge),
    )
    yield from _expand(source, depth=0)


def _path_opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _special(path: Path, budget: _Budget) -> Iterator[LogStream | Diagnostic]:
    """A pipe or device: read once, as standard input is."""
    try:
        with path.open("rb") as stream:
            yield from _once(str(path), stream, budget)
    except OSError as error:
        yield make_problem("SRC002", str(path), f"cannot be read: {error.strerror}", Severity.ERROR)


def _once(name: str, stream: BinaryIO, budget: _Budget) -> Iterator[LogStream | Diagnostic]:
    """A stream that cannot be rewound: plain text flows, anything packed is spooled first."""
    try:
        head = _first(stream, budget)
        rest = JoinedStream(head, stream).buffered(STREAM_BUFFER)
        if _packed(head) or detect_format(head) is Format.EVTX:
            opener = spool_stream(rest)
        else:
            opener = _once_opener(head, rest)
    except Exception as error:
        damage = judge_damage(error)
        message = f"cannot be read: {damage.message}"
        yield make_problem(damage.code or "SRC002", name, message, Severity.ERROR)
        return
    source = _Source(
        name=name,
        opener=opener,
        container=name,
        size=None,
        modified=time.time(),
        path=None,
        file=None,
        asked=True,
        budget=budget,
    )
    yield from _expand(source, depth=0)


def _first(stream: BinaryIO, budget: _Budget) -> bytes:
    """The first bytes: what there is, once its format shows, for a stream that comes slowly."""
    head = b""
    while len(head) < HEAD_BYTES and not (b"\n" in head and budget.find_format(head, asked=True)):
        piece = read_piece(stream, HEAD_BYTES - len(head))
        if not piece:
            break
        head += piece
    return head


def _once_opener(head: bytes, rest: BinaryIO) -> Callable[[], BinaryIO]:
    """The first call looks at the head; the second hands out the stream itself."""
    calls = iter((lambda: cast(BinaryIO, io.BytesIO(head)), lambda: rest))
    return lambda: next(calls)()


def _packed(head: bytes) -> bool:
    return _find_layer(head) is not None or _find_archive(head) is not None


def _expand(source: _Source, depth: int) -> Iterator[LogStream | Diagnostic]:
    """The logs inside one stream: itself, or what it packs."""
    severity = Severity.ERROR if source.asked else Severity.WARNING
    try:
        with source.opener() as stream:
            head = _head(stream)
    except Exception as error:
        damage = judge_damage(error)
        code = damage.code or ("SRC002" if depth == 0 else "SRC006")
        if code in _LOCKED:
            yield make_problem(code, source.name, damage.message, Severity.ERROR)
        else:
            yield make_problem(code, source.name, f"cannot be read: {damage.message}", severity)
        return
    if not head:
        yield make_problem("SRC003", source.name, "the file is empty", severity)
    elif not _packed(head):
        yield from _log(source, head)
    elif depth == _MAX_DEPTH:
        yield make_problem("SRC008", source.name, "archives are nested too deep", severity)
    elif (walk := _find_archive(head)) is not None:
        yield from _archive(source, depth, walk)
    elif (unpack := _find_layer(head)) is not None:
        opener = _layer(unpack, source.opener, source.budget)
        inner = replace(source, opener=opener, size=None, path=None)
        yield from _expand(inner, depth + 1)


def _head(stream: BinaryIO, most: int = HEAD_BYTES) -> bytes:
    """The first bytes; where the stream is damaged, those before the damage, if there are any."""
    head = bytearray()
    while len(head) < most:
        try:
            piece = stream.read(min(_HEAD_STEP, most - len(head)))
        except Exception:
            if not head:
                raise
            break
        if not piece:
            break
        head += piece
    return bytes(head)


_PROSE = (
    ".md", ".markdown", ".rst", ".adoc", ".html", ".htm", ".py", ".rs", ".go", ".c", ".h", ".cs",
    ".java", ".js", ".ts", ".ps1", ".sh", ".yml", ".yaml",
)  # fmt: skip
"""Ends of the names of texts and programs, which show an event rather than log it."""


def _log(source: _Source, head: bytes) -> Iterator[LogStream | Diagnostic]:
    format = source.budget.find_format(head, asked=source.asked)
    if format is None and source.asked and source.file is not None and len(head) == HEAD_BYTES:
        with source.opener() as stream:
            head = _head(stream, DEEP_BYTES)
        format = source.budget.find_format(head, asked=True)
    severity = Severity.ERROR if source.asked else Severity.INFO
    prose = source.name.lower().endswith(_PROSE) and head.lstrip()[:1] not in (b"<", b"{", b"[")
    if format is not None and prose and not source.asked:
        message = "a text that shows an event is passed over; name the file to have it read"
        yield make_problem("SRC004", source.name, message, severity)
        return
    if format is None:
        yield make_problem("SRC004", source.name, "no log format recognised", severity)
        return
    yield LogStream(
        name=source.name,
        format=format,
        opener=source.opener,
        container=source.container,
        size=source.size,
        modified=source.modified,
        path=source.path,
        file=source.file,
    )


def _layer(
    unpack: Callable[[BinaryIO], BinaryIO], opener: Callable[[], BinaryIO], budget: _Budget
) -> Callable[[], BinaryIO]:
    return lambda: CountedStream(unpack(opener()), budget.take_bytes).buffered(STREAM_BUFFER)


def _gunzip(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))


def _unzstd(stream: BinaryIO) -> BinaryIO:
    reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, reader), 1 << 20))


def _find_layer(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    """What unpacks a compressed stream, by its first bytes."""
    if head.startswith(_GZIP_MAGIC):
        return _gunzip
    if head.startswith(_ZSTD_MAGIC):
        return _unzstd
    if head.startswith(XZ_MAGIC):
        return open_xz
    return _bunzip2 if is_bz2(head) else None


def _bunzip2(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, bz2.BZ2File(stream))


_Walk: TypeAlias = Callable[[BinaryIO, _Budget], Iterable[Member]]


def _find_archive(head: bytes) -> _Walk | None:
    """What lists the members of an archive, by its first bytes."""
    if head.startswith(ZIP_MAGIC):
        return _walk_zip
    if head.startswith(SEVEN_ZIP_MAGIC):
        return _walk_7z
    return _walk_tar if is_tar(head) else None


def _walk_zip(stream: BinaryIO, budget: _Budget) -> Iterable[Member]:
    return list_zip(stream, budget.passwords)


def _walk_7z(stream: BinaryIO, budget: _Budget) -> Iterable[Member]:
    return walk_7z(
        stream,
        budget.passwords,
        take_bytes=budget.take_bytes,
        keep=lambda head: _packed(head) or budget.find_format(head, asked=False) is not None,
        head_bytes=HEAD_BYTES,
    )


def _walk_tar(stream: BinaryIO, budget: _Budget) -> Iterable[Member]:
    return walk_tar(stream, take_bytes=budget.take_bytes)


_LOCKED = frozenset({"SRC007", "SRC016", "SRC017"})
"""Codes of what is there and cannot be opened as it was asked for."""


def _archive(source: _Source, depth: int, walk: _Walk) -> Iterator[LogStream | Diagnostic]:
    severity = Severity.ERROR if source.asked else Severity.WARNING
    any_log = any_problem = False
    try:
        stream = source.opener()
        if source.path is None and depth > 0 and walk is not _walk_tar:
            with stream:
                stream = spool_stream(stream)()
        for member in walk(stream, source.budget):
            if not source.budget.take_member():
                most = source.budget.most_members
                message = f"it has more than {most:,} members; the others are left out"
                yield make_problem("SRC014", source.name, message, severity)
                break
            inner = _Source(
                name=f"{source.name}!{member.name}",
                opener=member.opener,
                container=source.container,
                size=member.size,
                modified=member.modified or source.modified,
                path=None,
                file=source.file,
                asked=False,
                budget=source.budget,
            )
            if walk is _walk_zip:  # the others count where they unpack
                inner = replace(inner, opener=_layer(_same, member.opener, source.budget))
            for item in _expand(inner, depth + 1):
                any_log = any_log or isinstance(item, LogStream)
                yield item
    except Exception as error:
        damage = judge_damage(error)
        any_problem = True
        if damage.code in _LOCKED:
            yield make_problem(damage.code or "", source.name, damage.message, Severity.ERROR)
        else:
            message = f"the archive is damaged: {damage.message}"
            yield make_problem(damage.code or "SRC006", source.name, message, severity)
    if source.asked and not any_log and not any_problem:
        yield make_problem("SRC004", source.name, "no logs in this archive", severity)


def _same(stream: BinaryIO) -> BinaryIO:
    return stream
