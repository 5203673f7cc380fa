"""Paths of logs -> committed events and rows of data models, and a report; commands call it.

An ingest is a pipeline of threads, one or two blocks apart (``core.prefetch``):

    bytes or EVTX records | events framed and matched | columns and tables | ids, rows of data
    models | encoding

What a stage can leave to the next one it gives as ``PendingEvents``. Large EVTX files are decoded
in a process of their own (``sources.formats.evtx_records``), JSON lines are looked at a piece at a
time while the cache holds it (``sources.formats.json_blocks``), and two buffers are encoded at once
(``lake.writer``). Blocks, batches and buffers are bounded in bytes, so memory does not grow with
the input.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from escudo.cim.normalise import Normaliser
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import log_event
from escudo.core.interrupts import meet_stop
from escudo.core.prefetch import prefetch
from escudo.lake.identity import Identity
from escudo.lake.ingest_options import AS_USUAL, IngestOptions
from escudo.lake.ingest_source import Begin, End, IngestSource, Known, Step
from escudo.lake.known_names import read_known_names
from escudo.lake.labels import NO_LABELS, Labels, find_labelled
from escudo.lake.ledger import Commit, IngestedFile, Mark
from escudo.lake.normalising import NormalisingWriter
from escudo.lake.rejects import Rejects
from escudo.lake.report import FileReport, IngestReport, Outcome, Progress, Silent
from escudo.lake.store import Lake
from escudo.lake.tables import Tables
from escudo.lake.writer import Writer
from escudo.sources.inventory import Inventory
from escudo.sources.notes import Note
from escudo.sources.reading import RawBatch, Rejected
from escudo.storage import Storage

COMMIT_EVENTS = 200_000
"""Events of small files that are committed together."""

COMMIT_SECONDS = 5.0
"""Seconds from one commit to the next, also while a stream flows."""

_AHEAD = 1
"""Batches that wait for the lake (2026-11-24, a million events: two take 870 MB, one 852)."""


def ingest(
    paths: Sequence[Path | str],
    lake: Lake,
    options: IngestOptions = AS_USUAL,
    *,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    normaliser: Normaliser | None = None,
) -> IngestReport:
    """Reads logs into a lake. A file comes in whole or not at all; a stream bit by bit.

    A file whose content is in the lake is left out, unless forced. Nothing is raised for a bad
    file: it is in the report's diagnostics, and what of it was readable is in the lake.

    Args:
        paths: files, folders, archives; ``-`` is standard input.
        lake: where to; other processes may read and write it at the same time.
        options: how they are read.
        progress: is told how far it is.
        stdin: standard input, if not this process's own.
        normaliser: one of earlier ingests, for many small ones: it is made in a quarter of a
            second. Not for several ingests at once.

    Raises:
        EscudoError: LAK003, LAK006, LAK007: the lake cannot be written.
    """
    with lake.writer() as writer:
        run = IngestRun(
            lake,
            writer,
            progress or Silent(),
            force=options.force,
            labels=options.labels,
            normaliser=normaliser,
        )
        try:
            _read(run, lake, paths, stdin, options=options)
        except KeyboardInterrupt:
            meet_stop()  # what is being encoded is waited for
            raise
        return run.report


def _read(
    run: IngestRun,
    lake: Lake,
    paths: Sequence[Path | str],
    stdin: BinaryIO | None,
    *,
    options: IngestOptions,
) -> None:
    """Reads the paths; files that another process committed meanwhile are looked at again."""
    with_lake = replace(options, names=partial(_know_names, lake, options))
    while paths:
        source = IngestSource(lake.ledger, lake.tables.families, with_lake)
        for step in prefetch(source.steps(paths, stdin), _AHEAD, COMMIT_SECONDS):
            if step is not None:
                run.take(step)
            if run.is_due():
                run.commit()
        run.commit()
        paths = run.take_back()


def _know_names(lake: Lake, options: IngestOptions) -> Inventory:
    return read_known_names(lake.snapshot(), options.names())


@dataclass(slots=True)
class _Pending:
    """A file whose events wait for a commit."""

    report: FileReport
    rejects: Rejects
    identity: Identity | None = None
    marks: tuple[Mark, ...] = ()
    is_piece: bool = False


class Target(Protocol):
    """What an ingest must know of the lake that it writes to; a lake is one."""

    @property
    def tables(self) -> Tables: ...

    @property
    def rejected_folder(self) -> Storage: ...


class IngestRun:
    """Takes the steps of an ingest (``ingest_source``), in one thread, and commits what is due."""

    def __init__(
        self,
        lake: Target,
        writer: Writer,
        progress: Progress,
        *,
        force: bool,
        labels: Labels = NO_LABELS,
        normaliser: Normaliser | None = None,
        every: float = COMMIT_SECONDS,
        kind: str = "ingest",
        committed: Callable[[Commit], None] = lambda _commit: None,
    ) -> None:
        self._every = every
        self._kind = kind
        self._tell_committed = committed
        self._labels = labels
        self.report = IngestReport()
        self._labelled: set[str] = set()
        self._lake = lake
        self._writer = writer
        self._progress = progress
        self._force = force
        self._normalising = NormalisingWriter(writer, lake.tables.models, normaliser)
        self._pending: list[_Pending] = []
        self._again: list[Path | str] = []
        self._current: _Pending | None = None
        self._lasting = True
        self._events = 0
        self._committed = time.monotonic()

    def take(self, step: Step) -> None:
        """Adds what a step brings."""
        match step:
            case Diagnostic():
                self.report.diagnostics.append(step)
            case Known(name, ingested):
                known = FileReport(name, Outcome.KNOWN, ingested=ingested)
                self.report.files.append(known)
                log_event("known file", name=name)
                self._progress.started(name, None)
                self._progress.finished(known)
            case Begin(name, size, lasting, is_piece):
                if not lasting:
                    self.commit()
                self._progress.started(name, size)
                self._lasting = lasting
                self._current = _Pending(
                    FileReport(name),
                    Rejects(self._lake.rejected_folder, self._writer.work),
                    is_piece=is_piece,
                )
            case RawBatch():
                self._add(step)
            case Rejected():
                assert self._current is not None
                self._current.rejects.add(step)
                self._current.report.rejected += 1
            case Note(kind, count, seen):
                assert self._current is not None
                self._current.report.notes[kind] += count
                self._current.report.seen.setdefault(kind, seen)
            case End(identity, marks):
                assert self._current is not None
                self._current.identity = identity
                self._current.marks = marks
                self._pending.append(self._current)
                self._current = None
                if not self._lasting:
                    self.commit()

    def _add(self, batch: RawBatch) -> None:
        assert self._current is not None
        batch = RawBatch(batch.family, self._labels.put(batch.table))
        schema = batch.family.schema
        if schema.table not in self._labelled and find_labelled(schema, batch.table):
            self._labelled.add(schema.table)
        batch = self._writer.assign_event_ids(batch)
        self._writer.append_raw(batch)
        report = self._current.report
        events = batch.table.num_rows
        self._normalising.add(batch, report)
        report.read += events
        report.families[batch.family.name] += events
        self._events += events
        self._progress.advanced(events, batch.table["_raw"].nbytes)

    @property
    def holds_events(self) -> bool:
        """Whether something waits for a commit."""
        return self._current is not None or bool(self._pending)

    def take_back(self) -> list[Path | str]:
        """The files whose events were dropped, since another process was faster with one of them;
        they are to be looked at again."""
        again, self._again = self._again, []
        return again

    def is_due(self) -> bool:
        """Whether to commit now: between files, or anywhere in a stream."""
        if self._current is not None and self._lasting:
            return False
        if self._current is None and not self._pending:
            return False
        return self._events >= COMMIT_EVENTS or time.monotonic() - self._committed >= self._every

    def commit(self) -> None:
        """Commits what is pending; files that another process was faster with come up again."""
        self._normalising.flush()
        pending, self._pending = self._pending, []
        events, self._events = self._events, 0
        files = [
            IngestedFile(p.identity, p.report.name, p.report.read, p.report.rejected, time.time())
            for p in pending
            if p.identity is not None
        ]
        if not files and not events and not pending:
            return
        for p in pending:
            p.rejects.keep(p.identity.blake3 if p.identity is not None else uuid.uuid4().hex)
        try:
            marks = [mark for p in pending for mark in p.marks]
            commit = self._writer.commit(
                files,
                kind=self._kind,
                again=self._force,
                marks=marks,
                labelled=self._labelled,
            )
        except EscudoError as error:
            if error.code != "LAK009":
                raise
            self._again += [p.report.name for p in pending]
            return
        finally:
            self._committed = time.monotonic()
        self.report.commits += 1
        self._tell_committed(commit)
        families = self._lake.tables.families
        general = (families.fallback.name, families.general_text.name)
        for p in pending:
            if not p.is_piece:  # what is said of a file, all of it says
                self.report.diagnostics += p.report.warnings(general)
            self.report.files.append(p.report)
            log_event("file", name=p.report.name, events=p.report.read, rejected=p.report.rejected)
            self._progress.finished(p.report)
