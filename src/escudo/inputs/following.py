"""Folders, growing files, standard input -> committed batches, one after the other; called by
actions and by the scheduler.

A thread looks for what has changed and reads it, the one that asks for batches normalises and
commits. The positions of files are kept in the same commit as their events, so each event is in
the lake exactly once, whenever the process dies.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO, cast

from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.prefetch import prefetch
from escudo.inputs.batches import CommittedBatch
from escudo.inputs.growing import Found, GrowingFiles, Moved, WholeFile, check_places
from escudo.inputs.packed import find_unread
from escudo.inputs.position import PREFIX, Positions
from escudo.inputs.records import count_whole, detect_growing
from escudo.inputs.tail import PIECE_BYTES, Piece, open_bytes
from escudo.inputs.watching import Watcher
from escudo.lake import Lake
from escudo.lake.identity import identify_file
from escudo.lake.ingest import IngestRun
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.ingest_source import Begin, End, IngestSource, Step, read_steps
from escudo.lake.known_names import read_known_names
from escudo.lake.ledger import Commit, Mark
from escudo.lake.report import IngestReport, Progress, Silent
from escudo.lake.writer import Writer
from escudo.sources.date_order import DateOrder
from escudo.sources.format_detection import HEAD_BYTES, Format
from escudo.sources.inventory import Inventory
from escudo.sources.listing import STDIN
from escudo.sources.opening import LogStream, UnpackLimits
from escudo.sources.reading import Rejected
from escudo.sources.streams import JoinedStream, PieceStream, read_piece

COMMIT_SECONDS = 1.0
"""Seconds from one commit to the next while events come; the first after a pause is at once."""

SETTLE_SECONDS = 3.0
"""Seconds. A file that has not changed for so long is complete: what is read whole is read, and a
last row without its line feed is taken."""

RESCAN_SECONDS = 10.0
"""Seconds between two looks at all files, for changes that the system has not told."""

FORGET_SECONDS = 30 * 86_400.0
"""Seconds after which a file that is gone is forgotten; if it turns up again, it is a new one."""

_RESTLESS_SECONDS = 0.5
"""Seconds to the next look where something has to settle."""

_AHEAD = 1
"""Batches that are read while one before is normalised (see ``lake.ingest``)."""

_WAITING_PIECES = 256
_STDIN_BYTES = 64 * 1024
"""Bytes, at most, of each piece of standard input that waits to be read."""

_NO_LOG = frozenset({"SRC003", "SRC004"})
"""Codes of files that hold no log: in a folder that is nobody's fault."""


@dataclass(frozen=True, kw_only=True)
class FollowOptions:
    """How inputs are followed. ``once``: what is there is read, and that is the end. ``every``:
    seconds between commits; ``settle``: see ``SETTLE_SECONDS``; ``kind``: what the ledger calls the
    commits (``list_batches`` finds them by it)."""

    kind: str = "ingest"
    once: bool = False
    every: float = COMMIT_SECONDS
    settle: float = SETTLE_SECONDS
    date_order: DateOrder | None = None
    limits: UnpackLimits | None = None
    names: Callable[[], Inventory] = Inventory


def follow_inputs(
    paths: Sequence[Path | str],
    lake: Lake,
    options: FollowOptions | None = None,
    *,
    stop: threading.Event | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
    tell: Callable[[IngestReport], None] = lambda _report: None,
    measure: Callable[[int], None] = lambda _bytes: None,
) -> Iterator[CommittedBatch]:
    """Reads what is in folders and files, and what is added to them, until ``stop`` is set.

    Each batch is committed when it is given. Files that grow (JSON lines, event XML, CSV, classic
    text) are read from where they were left, also by an earlier process, through rotations; others
    (event logs, archives) whole, once they have settled. ``tell`` is given the report of each
    commit, ``measure`` how many bytes of files wait to be read, after each look at them.

    Args:
        paths: folders, files (also such as will come), or ``-`` alone.

    Raises:
        EscudoError: INP001, INP002 for paths that cannot be followed; LAK020 where another process
            follows the same file; what the lake says.
    """
    options = options or FollowOptions()
    stop = stop or threading.Event()
    if any(str(p) == STDIN for p in paths):
        if len(paths) > 1:
            raise EscudoError("INP002", "standard input cannot be followed beside other inputs")
        following = _Following(lake, options, stop, progress or Silent(), tell, measure)
        yield from following.run(partial(following.read_stdin, stdin))
        return
    places = [Path(p) for p in paths]
    check_places(places)
    following = _Following(lake, options, stop, progress or Silent(), tell, measure)
    with Watcher(places) as watcher:
        yield from following.run(partial(following.read_files, places, watcher))


class _Following:
    def __init__(
        self,
        lake: Lake,
        options: FollowOptions,
        stop: threading.Event,
        progress: Progress,
        tell: Callable[[IngestReport], None],
        measure: Callable[[int], None],
    ) -> None:
        self._measure = measure
        self._lake = lake
        self._options = options
        self._stop = stop
        self._progress = progress
        self._tell = tell
        self._conflict = threading.Event()
        self._endless = False
        """Whether the steps do not end by themselves when they are asked to stop."""

    def run(self, steps: Callable[[], Iterator[Step | None]]) -> Iterator[CommittedBatch]:
        """Takes steps and commits what is due, until there are no more."""
        again = True
        while again:
            self._conflict.clear()
            with self._lake.writer() as writer:
                yield from self._take_steps(steps, writer)
            again = self._conflict.is_set()

    def _take_steps(
        self, steps: Callable[[], Iterator[Step | None]], writer: Writer
    ) -> Iterator[CommittedBatch]:
        made: list[CommittedBatch] = []
        begun = time.time()

        def keep(commit: Commit) -> None:
            if writer.written:
                folder, tables = self._lake.tables_folder, self._lake.tables
                made.append(CommittedBatch(folder, tables, (commit.id,), writer.written, begun))

        run = IngestRun(
            self._lake,
            writer,
            self._progress,
            force=False,
            every=self._options.every,
            kind=self._options.kind,
            committed=keep,
        )
        for step in prefetch(steps(), _AHEAD, self._options.every):
            if step is not None:
                if not run.holds_events:
                    begun = time.time()
                run.take(step)
            if run.is_due():
                self._commit(run)
                yield from made
                made.clear()
            if self._conflict.is_set():
                return
            if self._endless and self._stop.is_set():
                break
        self._commit(run)
        yield from made

    def _commit(self, run: IngestRun) -> None:
        run.commit()
        if run.take_back():
            self._conflict.set()  # all that was read since is read anew, from the ledger
        report = run.report
        if report.files or report.diagnostics:
            run.report = IngestReport()
            self._tell(report)

    # files

    def read_files(self, paths: Sequence[Path], watcher: Watcher) -> Iterator[Step | None]:
        """The steps of all that comes; None at the end of each round."""
        positions = Positions(self._lake.ledger.marks(PREFIX))
        for mark in positions.forget(time.time() - FORGET_SECONDS):
            self._lake.ledger.move_mark(mark)
        files = GrowingFiles(paths, positions, settle=self._options.settle)
        whole = self._make_source()
        changed: set[Path] | None = None
        scanned = time.monotonic()
        try:
            while True:
                for found in files.look(changed):
                    yield from self._read(found, positions, whole)
                    if self._stop.is_set() or self._conflict.is_set():
                        return
                self._measure(files.behind)
                yield None
                if self._stop.is_set() or self._conflict.is_set():
                    return
                if files.has_more:
                    wait = 0.0
                elif files.settling or (files.restless and not self._options.once):
                    wait = _RESTLESS_SECONDS
                elif self._options.once:
                    return
                else:
                    wait = self._options.every
                changed = watcher.wait(wait)
                if time.monotonic() - scanned >= RESCAN_SECONDS:
                    changed, scanned = None, time.monotonic()
        finally:
            files.close()

    def _read(self, found: Found, positions: Positions, whole: IngestSource) -> Iterator[Step]:
        match found:
            case Piece():
                marks = () if found.position is None else (positions.move(found.position),)
                yield from self._read_piece(found, marks)
            case Moved(position):
                yield Begin(position.path, 0, lasting=True)
                yield End(None, (positions.move(position),))
            case WholeFile(path, position, asked):
                rest = find_unread(path, positions, self._options.limits)
                if rest is not None:
                    yield Begin(str(path), path.stat().st_size, lasting=True)
                    yield from self._read_log(rest)
                    yield End(identify_file(path), (positions.move(position),))
                    return
                for step in whole.steps([path]):
                    if isinstance(step, End):
                        yield replace(step, marks=(positions.move(position),))
                    elif isinstance(step, Diagnostic) and step.code in _NO_LOG and not asked:
                        yield replace(step, severity=Severity.INFO)
                    else:
                        yield step
            case Diagnostic():
                yield found

    def _read_piece(self, piece: Piece, marks: Sequence[Mark] = ()) -> Iterator[Step]:
        """The steps of one piece: it comes in whole, with its position, or not at all."""
        yield Begin(piece.stream.name, piece.size, lasting=True)
        for step in self._read_log(piece.stream):
            if isinstance(step, Rejected) and piece.start:
                yield replace(step, place=f"{step.place} after byte {piece.start}")
            else:
                yield step
        yield End(None, tuple(marks))

    def _read_log(self, stream: LogStream) -> Iterator[Step]:
        names = cache(self._known_names)
        return read_steps(stream, self._lake.tables.families, self._options.date_order, names)

    def _known_names(self) -> Inventory:
        return read_known_names(self._lake.snapshot(), self._options.names())

    def _make_source(self) -> IngestSource:
        """What reads whole files."""
        options = IngestOptions(
            limits=self._options.limits,
            date_order=self._options.date_order,
            names=self._known_names,
        )
        return IngestSource(self._lake.ledger, self._lake.tables.families, options)

    # standard input

    def read_stdin(self, stdin: BinaryIO | None) -> Iterator[Step | None]:
        """The steps of standard input; None whenever a piece has been read."""
        self._endless = True
        source = QueuedStream(stdin or cast(BinaryIO, sys.stdin.buffer))
        data = b""
        while b"\n" not in data and len(data) < HEAD_BYTES and (more := source.take(HEAD_BYTES)):
            data += more
        format_ = detect_growing(data)
        if format_ is None:
            rest = JoinedStream(data, source.buffered()).buffered()
            yield from self._make_source().steps([STDIN], rest)
            return
        header = data.split(b"\n", 1)[0] + b"\n" if format_ is Format.CSV_EVENTS else b""
        start, ended = 0, False
        while not (ended and not data):
            size = len(data) if ended else count_whole(format_, data)
            if size:
                text = header + data[:size] if start else data[:size]
                log = LogStream(
                    name=STDIN,
                    format=format_,
                    opener=open_bytes(text),
                    container=STDIN,
                    size=len(text),
                    modified=time.time(),
                )
                yield from self._read_piece(Piece(log, start, size, None))
                yield None
            data, start = data[size:], start + size
            if not ended:
                more = source.take(PIECE_BYTES)
                ended = not more
                data += more


class QueuedStream(PieceStream):
    """A stream that a thread reads ahead, so that what is there is known without waiting.

    >>> import io
    >>> QueuedStream(io.BytesIO(b"abc")).take(10)
    b'abc'
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._waiting: queue.Queue[bytes] = queue.Queue(_WAITING_PIECES)
        self._left = b""
        self._ended = False
        thread = threading.Thread(
            target=self._fill, args=(stream,), name="escudo-stdin", daemon=True
        )
        thread.start()

    def take(self, most: int) -> bytes:
        """What is there, once something is; about ``most`` bytes at the most; none at the end."""
        parts: list[bytes] = []
        size = 0
        while not self._ended and (not parts or (size < most and not self._waiting.empty())):
            part = self._waiting.get()
            self._ended = not part
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def next_piece(self, size: int) -> bytes:
        data = self._left or self.take(size)
        self._left = data[size:]
        return data[:size]

    def _fill(self, stream: BinaryIO) -> None:
        part = b"-"
        while part:
            try:
                part = read_piece(stream, _STDIN_BYTES)
            except (OSError, ValueError):  # closed by who reads
                part = b""
            self._waiting.put(part)
