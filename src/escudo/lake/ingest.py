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
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from escudo.cim.normalise import Normaliser
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import log_event
from escudo.core.interrupts import meet_stop
from escudo.core.prefetch import prefetch
from escudo.lake.identity import Identity
from escudo.lake.ingest_source import Begin, End, IngestSource, Known, Step
from escudo.lake.known_names import read_known_names
from escudo.lake.labels import NO_LABELS, Labels
from escudo.lake.ledger import Commit, IngestedFile, Mark
from escudo.lake.normalising import NormalisingWriter
from escudo.lake.rejects import Rejects
from escudo.lake.report import FileReport, IngestReport, Outcome, Progress, Silent
from escudo.lake.store import Lake
from escudo.lake.writer import Writer
from escudo.sources.date_order import DateOrder
from escudo.sources.inventory import Inventory
from escudo.sources.notes import Note
from escudo.sources.opening import UnpackLimits
from escudo.sources.reading import RawBatch, Rejected

COMMIT_EVENTS = 200_000
"""Events of small files that are committed together."""

COMMIT_SECONDS = 5.0
"""Seconds from one commit to the next, also while a stream flows."""

_AHEAD = 1
"""Batches that wait for the lake (2026-11-24, a million events: two take 870 MB, one 852)."""


def ingest(
    paths: Sequence[Path | str],
    lake: Lake,
    *,
    force: bool = False,
    date_order: DateOrder | None = None,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    limits: UnpackLimits | None = None,
    names: Callable[[], Inventory] = Inventory,
    labels: Labels = NO_LABELS,
    normaliser: Normaliser | None = None,
) -> IngestReport:
    """Reads logs into a lake. A file comes in whole or not at all; a stream bit by bit.

    A file whose content is in the lake is left out, unless forced. Nothing is raised for a bad
    file: it is in the report's diagnostics, and what of it was readable is in the lake.

    Args:
        paths: files, folders, archives; ``-`` is standard input.
        lake: where to; other processes may read and write it at the same time.
        force: take in also what is in the lake already, once more.
        date_order: how dates like 03/05/2024 are read; without it they are no times.
        progress: is told how far it is.
        stdin: standard input, if not this process's own.
        limits: what each file may unpack to.
        names: what else is known of the hosts and users that events name by ids.
        labels: what all events carry, whatever they say themselves.
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
            force=force,
            limits=limits,
            date_order=date_order,
            names=names,
            labels=labels,
            normaliser=normaliser,
        )
        try:
            run.read(paths, stdin)
        except KeyboardInterrupt:
            meet_stop()  # what is being encoded is waited for
            raise
        return run.report


@dataclass(slots=True)
class _Pending:
    """A file whose events wait for a commit."""

    report: FileReport
    rejects: Rejects
    identity: Identity | None = None
    marks: tuple[Mark, ...] = ()


class IngestRun:
    """Takes the steps of an ingest (``ingest_source``), in one thread, and commits what is due."""

    def __init__(
        self,
        lake: Lake,
        writer: Writer,
        progress: Progress,
        *,
        force: bool,
        limits: UnpackLimits | None,
        date_order: DateOrder | None,
        names: Callable[[], Inventory],
        labels: Labels = NO_LABELS,
        normaliser: Normaliser | None = None,
        every: float = COMMIT_SECONDS,
        kind: str = "ingest",
        committed: Callable[[Commit], None] = lambda _commit: None,
    ) -> None:
        self._every = every
        self._kind = kind
        self._tell_committed = committed
        self._names = names
        self._labels = labels
        self._limits = limits
        self._date_order = date_order
        self.report = IngestReport()
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

    def read(self, paths: Sequence[Path | str], stdin: BinaryIO | None) -> None:
        """Reads the paths; files that another process committed meanwhile are looked at again."""
        while paths:
            source = IngestSource(
                self._lake.ledger,
                self._lake.tables.families,
                force=self._force,
                limits=self._limits,
                date_order=self._date_order,
                names=lambda: read_known_names(self._lake.snapshot(), self._names()),
            )
            for step in prefetch(source.steps(paths, stdin), _AHEAD, COMMIT_SECONDS):
                if step is not None:
                    self.take(step)
                if self.is_due():
                    self.commit()
            self.commit()
            paths = self.take_back()

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
            case Begin(name, size, lasting):
                if not lasting:
                    self.commit()
                self._progress.started(name, size)
                self._lasting = lasting
                self._current = _Pending(
                    FileReport(name), Rejects(self._lake.rejected_folder, self._writer.work)
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
        labelled = RawBatch(batch.family, self._labels.put(batch.table))
        batch = self._writer.assign_event_ids(labelled)
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
            commit = self._writer.commit(files, kind=self._kind, again=self._force, marks=marks)
        except EscudoError as error:
            if error.code != "LAK009":
                raise
            self._again += [p.report.name for p in pending]
            return
        finally:
            self._committed = time.monotonic()
        self.report.commits += 1
        self._tell_committed(commit)
        fallback = self._lake.tables.families.fallback.name
        for p in pending:
            self.report.diagnostics += p.report.warnings(fallback)
            self.report.files.append(p.report)
            log_event("file", name=p.report.name, events=p.report.read, rejected=p.report.rejected)
            self._progress.finished(p.report)
