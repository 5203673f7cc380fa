"""Paths -> the steps of one ingest: files that begin and end, batches, what was rejected.

``ingest`` calls it. Files whose content is in the lake already are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.lake.identity import Identity, identify_file
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.ledger import Ledger, Mark
from escudo.sources import Families, Family
from escudo.sources.date_order import DateOrder
from escudo.sources.inventory import Inventory, InventoryFinder
from escudo.sources.listing import ListedFile
from escudo.sources.notes import Note
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, Rejected, read


@dataclass(frozen=True, slots=True)
class Begin:
    """A file begins; ``lasting`` is False for standard input and pipes, which have no end.
    ``is_piece``: the rest of it is read elsewhere."""

    name: str
    size: int | None
    lasting: bool
    is_piece: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A file is left out: its content came in before, at a time in epoch seconds or in this run."""

    name: str
    ingested: float | None


@dataclass(frozen=True, slots=True)
class End:
    """What began has ended; its identity, if it is a whole file, and how far it has been read, if
    it goes on."""

    identity: Identity | None
    marks: tuple[Mark, ...] = ()


Step = Begin | Known | End | RawBatch | Rejected | Note | Diagnostic


class IngestSource:
    """Reads paths for one ingest. It runs in a thread of its own (``prefetch``)."""

    def __init__(
        self,
        ledger: Ledger | None,
        families: Families,
        options: IngestOptions,
    ) -> None:
        self._options = options
        self._given = families.claim(options.labels.source, options.labels.sourcetype)
        self._ledger = ledger
        self._families = families
        self._sizes: set[int] = set()
        self._seen: set[Identity] = set()

    def steps(
        self,
        paths: Sequence[Path | str],
        stdin: BinaryIO | None = None,
    ) -> Iterator[Step]:
        """Everything under the paths, in a stable order."""
        inventory = InventoryFinder(paths, self._options.limits, self._options.names).find
        yield from self.steps_of(paths, inventory, stdin)

    def steps_of(
        self,
        paths: Sequence[Path | str | ListedFile],
        inventory: Callable[[], Inventory],
        stdin: BinaryIO | None = None,
    ) -> Iterator[Step]:
        """Everything under the paths or in listed files, with names of hosts and users from an
        inventory of all that is read."""
        with ThreadPoolExecutor(1, "escudo-hash") as hasher:
            current: str | None = None
            opened: _Opened | None = None
            for item in open_logs(
                paths,
                stdin=stdin,
                limits=self._options.limits,
                judge=self._families.judge_with(self._given),
            ):
                if isinstance(item, Diagnostic):
                    yield item
                    continue
                if item.container != current:
                    if opened is not None:
                        yield from self._end(opened)
                    current = item.container
                    opened = yield from self._begin(item, hasher)
                if opened is not None:
                    yield from read_steps(
                        item,
                        self._families,
                        self._options.date_order,
                        inventory,
                        given=self._given,
                    )
            if opened is not None:
                yield from self._end(opened)

    def _begin(
        self, stream: LogStream, hasher: ThreadPoolExecutor
    ) -> Generator[Step, None, _Opened | None]:
        """Announces a file; None if it is known, and left out."""
        name, path = stream.container, stream.file
        if stream.piece is not None:
            yield Begin(name, stream.size, lasting=True, is_piece=True)
            return _Opened(name, None, None, None)
        if path is None:
            yield Begin(name, None, lasting=False)
            return _Opened(name, None, None, None)
        stat = path.stat()
        digest = hasher.submit(identify_file, path)
        if not self._options.force and self._may_be_known(stat.st_size):
            try:
                identity = digest.result()
            except EscudoError as error:
                yield error.diagnostic
                return None
            earlier = None if self._ledger is None else self._ledger.find(identity)
            if earlier is not None or identity in self._seen:
                yield Known(name, None if earlier is None else earlier.ingested)
                return None
        yield Begin(name, stat.st_size, lasting=True)
        return _Opened(name, path, stat, digest)

    def _may_be_known(self, size: int) -> bool:
        """The cheap check: a file of this size came in before."""
        known = self._ledger is not None and self._ledger.has_size(size)
        return size in self._sizes or known

    def _end(self, opened: _Opened) -> Iterator[Step]:
        if opened.digest is None or opened.stat is None or opened.path is None:
            yield End(None)
            return
        try:
            identity = opened.digest.result()
        except EscudoError as error:
            yield error.diagnostic
            yield End(None)
            return
        self._sizes.add(identity.size)
        self._seen.add(identity)
        if _changed(opened.path, opened.stat):
            yield _warning("LAK010", opened.name, "the file changed while it was read")
        yield End(identity)


@dataclass(frozen=True, slots=True)
class _Opened:
    name: str
    path: Path | None
    stat: os.stat_result | None
    digest: Future[Identity] | None


def read_steps(
    stream: LogStream,
    families: Families,
    date_order: DateOrder | None,
    inventory: Callable[[], Inventory],
    *,
    given: Family | None = None,
) -> Iterator[Step]:
    """The events of one stream, and what was odd; a fault of its reader is told, not raised.

    ``given`` is the family of all events, where their labels say it.
    """
    notes: list[Note] = []
    try:
        for item in read(
            stream,
            families,
            date_order=date_order,
            note=notes.append,
            inventory=inventory,
            given=given,
        ):
            yield item
            yield from notes
            notes.clear()
    except EscudoError as error:
        if error.code == "SRC009":
            raise
        yield error.diagnostic
    except Exception as error:  # a fault of a reader ends its file, not the run
        message = f"{stream.name}: {type(error).__name__}: {error}"
        yield Diagnostic("SRC013", message, span=Span(stream.name, 1, 1, 1, 1))
    yield from notes


def _changed(path: Path, before: os.stat_result) -> bool:
    try:
        now = path.stat()
    except OSError:
        return True
    return (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)


def _warning(code: str, name: str, message: str) -> Diagnostic:
    return Diagnostic(code, f"{name}: {message}", Severity.WARNING, Span(name, 1, 1, 1, 1))
