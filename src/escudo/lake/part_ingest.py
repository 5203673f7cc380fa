"""Some files of an ingest -> Parquet files of the lake, which another process commits, and what
became of each file; workers of a cluster run it, ``spread_ingest`` asks for it.

Nothing here asks the ledger. Ids come of a range that was allocated for the part; the data files
carry the token of the work of who asked, who deletes those that no commit names.
"""

from __future__ import annotations

import pickle
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from escudo.cim.normalise import Normaliser
from escudo.core.errors import Diagnostic, EscudoError
from escudo.lake.delta import DataFile
from escudo.lake.event_ids import EventIds, OutOfIdsError
from escudo.lake.identity import Identity, identify_file
from escudo.lake.ingest import IngestRun
from escudo.lake.ingest_options import AS_USUAL, IngestOptions
from escudo.lake.ingest_source import IngestSource
from escudo.lake.ledger import Commit, IngestedFile, Mark
from escudo.lake.leftovers import FETCHED, Work, name_temporary
from escudo.lake.normalising import make_normaliser
from escudo.lake.report import FileReport, Silent
from escudo.lake.snapshot import Snapshot
from escudo.lake.tables import Tables
from escudo.lake.writer import Writer
from escudo.sources.inventory import Inventory, read_list_rows
from escudo.sources.listing import ListedFile
from escudo.sources.opening import UnpackLimits
from escudo.sources.pieces import cut_log
from escudo.sources.remote_files import fetch_file
from escudo.storage import Storage


@dataclass(frozen=True, kw_only=True, slots=True)
class PartTarget:
    """The lake as workers know it: where it is, its tables, the work that files belong to."""

    storage: Storage
    tables_folder: Storage
    rejected_folder: Storage
    tables: Tables
    work: Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Files that a worker reads, and the ids of their events. ``inventory`` has the names of hosts
    and users; None where nobody has looked for them yet."""

    files: tuple[ListedFile, ...]
    ids: range
    options: IngestOptions = AS_USUAL
    inventory: Inventory | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PartDone:
    """What became of a part: its data files by table, and what to tell of its logs.

    Where ``short_of_ids`` or ``needs_names``, nothing came of it: it is to be done anew with more
    ids, or an inventory. ``error`` is why no part can be done; ``labelled`` are the tables of which
    events carry labels.
    """

    written: Mapping[str, list[DataFile]] = field(default_factory=dict)
    ingested: tuple[IngestedFile, ...] = ()
    reports: tuple[FileReport, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    labelled: frozenset[str] = frozenset()
    short_of_ids: bool = False
    needs_names: bool = False
    error: Diagnostic | None = None

    @property
    def is_whole(self) -> bool:
        """Whether its files hold all its rows."""
        return not self.short_of_ids and not self.needs_names and self.error is None


class _PartWork(Work):
    """The work of another process: what stands for it is there for as long as that lives. Of a lake
    elsewhere each part has a folder of its own."""

    def __init__(self, work: Work) -> None:
        vars(self).update(vars(work))
        if not self._is_here:
            self.folder = work.folder.with_name(f"{work.folder.name}-{uuid.uuid4().hex[:8]}")

    def begin(self) -> None:
        """Raises where whoever asked is gone: nobody would look after the files."""
        if not self._is_here:
            self.require()
            self.folder.mkdir(mode=0o700, exist_ok=True)
        elif not self.folder.is_dir():
            raise EscudoError("LAK040", "who began this ingest has ended")

    def end(self) -> None:
        """Others are at it still."""
        if not self._is_here:
            shutil.rmtree(self.folder, ignore_errors=True)


class _PartWriter(Writer):
    """Finishes files and has none committed."""

    def __init__(self, target: PartTarget, ids: range) -> None:
        super().__init__(
            target.storage,
            target.tables_folder,
            target.tables,
            None,
            clock=time.time,
            work=_PartWork(target.work),
            ids=EventIds(None, ids),
        )
        self.ingested: list[IngestedFile] = []
        self.labelled: set[str] = set()

    def commit(
        self,
        files: Iterable[IngestedFile] = (),
        *,
        kind: str = "append",
        again: bool = False,
        since: Snapshot | None = None,
        marks: Sequence[Mark] = (),
        labelled: Collection[str] = (),
    ) -> Commit:
        """Takes note of the files; they are committed with those of the other parts."""
        self.ingested += files
        self.labelled |= set(labelled)
        return Commit(0, time.time(), kind, {})


class _Names:
    """The inventory of a part; tells whether one was asked for that nobody has looked for."""

    def __init__(self, known: Inventory | None) -> None:
        self._known = known
        self.missing = False

    def find(self) -> Inventory:
        if self._known is None:
            self.missing = True
            return Inventory()
        return self._known


def make_worker(target: PartTarget) -> Callable[[bytes], bytes]:
    """``ingest_part`` for one lake, from and to bytes, as a ``Spread`` maps it."""
    return partial(_work, pickle.dumps(target))


def write_part(part: Part) -> bytes:
    """A part for such a worker."""
    return pickle.dumps(part)


def read_done(result: bytes) -> PartDone:
    """What such a worker gave."""
    done = pickle.loads(result)
    assert isinstance(done, PartDone)
    return done


def identify_files(files: bytes) -> bytes:
    """Listed files -> their identities, or why one has none; pickled, as a ``Spread`` maps it."""
    found: list[Identity | Diagnostic] = []
    for file in pickle.loads(files):
        try:
            with _fetched([file]) as (here,):
                found.append(identify_file(here.path))
        except EscudoError as error:
            found.append(error.diagnostic)
    return pickle.dumps(found)


def split_file(given: bytes) -> bytes:
    """A listed file, bytes of a piece -> what the file is, and its pieces, none where it cannot be
    cut or read; pickled, as a ``Spread`` maps it."""
    file, size = pickle.loads(given)
    identity, pieces = None, []
    with suppress(EscudoError, OSError), _fetched([file]) as (here,):
        pieces = cut_log(here.path, size)
        identity = identify_file(here.path) if len(pieces) > 1 else None
    return pickle.dumps((identity, [] if identity is None else pieces))


def find_inventory(
    files: Sequence[ListedFile], limits: UnpackLimits | None, known: Callable[[], Inventory]
) -> Inventory:
    """The names of hosts and users that files list, beside those that are known."""
    found = known()
    here = [file for file in files if file.url is None]
    for group in (here, *([file] for file in files if file.url is not None)):
        with _fetched(group) as opened:
            for row in read_list_rows(opened, limits):
                found.add(row)
    return found


@contextmanager
def _fetched(files: Sequence[ListedFile]) -> Iterator[Sequence[ListedFile]]:
    """The files, those at URLs as copies of this machine, which are gone behind the block."""
    if all(file.url is None for file in files):
        yield files
        return
    with tempfile.TemporaryDirectory(prefix=name_temporary(FETCHED)) as folder:
        yield [fetch_file(file, Path(folder, str(n))) for n, file in enumerate(files)]


def _work(target: bytes, part: bytes) -> bytes:
    known, normaliser = _prepare(target)
    try:
        done = ingest_part(known, pickle.loads(part), normaliser)
    except EscudoError as error:
        done = PartDone(error=error.diagnostic)
    return pickle.dumps(done)


@lru_cache(maxsize=1)
def _prepare(target: bytes) -> tuple[PartTarget, Normaliser]:
    """A worker does many parts of one ingest, one after the other."""
    known = pickle.loads(target)
    assert isinstance(known, PartTarget)
    return known, make_normaliser(known.tables.models)


def ingest_part(target: PartTarget, part: Part, normaliser: Normaliser | None = None) -> PartDone:
    """Reads the files of a part and writes their rows to data files of the lake.

    Raises:
        EscudoError: LAK007 where the lake cannot be written, LAK040 where who asked is gone,
            STO001, STO002, STO005 where a file at a URL cannot be fetched.
    """
    names = _Names(part.inventory)
    source = IngestSource(None, target.tables.families, replace(part.options, force=True))
    with _fetched(part.files) as files, _PartWriter(target, part.ids) as writer:
        run = IngestRun(
            target,
            writer,
            Silent(),
            force=True,
            labels=part.options.labels,
            normaliser=normaliser,
        )
        try:
            for step in source.steps_of(files, names.find):
                if names.missing:
                    return PartDone(needs_names=True)
                run.take(step)
            if names.missing:
                return PartDone(needs_names=True)
            run.commit()
        except OutOfIdsError:
            return PartDone(short_of_ids=True)
        return PartDone(
            written=writer.finish(),
            ingested=tuple(writer.ingested),
            reports=tuple(run.report.files),
            diagnostics=tuple(run.report.diagnostics),
            labelled=frozenset(writer.labelled),
        )
