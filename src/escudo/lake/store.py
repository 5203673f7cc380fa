"""A folder or URL -> a lake: Delta tables, and the ledger that makes their commits one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from escudo.core.errors import EscudoError
from escudo.core.places import refuse_url
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.lake.artifacts import Artifacts
from escudo.lake.delta import unwritable
from escudo.lake.digests import Checked
from escudo.lake.labels import MARKS, open_labels
from escudo.lake.ledger import Ledger
from escudo.lake.leftovers import name_temporary, sweep_dead, sweep_temporary
from escudo.lake.place import (
    LEDGER,
    REJECTED,
    SHARED,
    TABLES,
    LakePlace,
    SharedLake,
    join_ledger,
    make_place,
    open_ledger,
    provide_local_folder,
    read_identity,
)
from escudo.lake.snapshot import Snapshot
from escudo.lake.tables import Tables, load_tables
from escudo.lake.writer import Writer
from escudo.storage import Folder, Storage, open_storage


class Lake:
    """Raw events and rows of data models at rest. Close it, or use it in a ``with`` block.

    As a catalog (``core.catalog.Catalog``) it shows what is committed at each call; a search
    that calls several times takes a ``snapshot`` and asks that.

    >>> with Lake.create_temporary() as lake:
    ...     lake.files("raw_sysmon", TimeRange())
    ()
    """

    def __init__(
        self,
        at: LakePlace,
        ledger: Ledger,
        tables: Tables,
        temporary: tempfile.TemporaryDirectory[str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.at = at
        self.storage: Storage = Folder(at) if isinstance(at, Path) else open_storage(at.url)
        self.ledger = ledger
        self.tables = tables
        self._temporary = temporary
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._labelled: set[str] = set()
        self._raw: Sequence[TableSchema] = self.tables.raw
        self._lock = Lock()
        self.checked = Checked(ledger)

    @classmethod
    def open(
        cls,
        place: str | LakePlace,
        *,
        create: bool = True,
        tables: Tables | None = None,
        partly: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> Lake:
        """Opens the lake in a folder, or one that machines share.

        Args:
            place: the folder; with ``create`` it may be empty or not exist. A ``SharedLake`` has
                its ledger elsewhere.
            create: whether to make a lake where none is.
            tables: the tables it can hold (``load_tables``); those of Escudo's own sources and
                data models unless given.
            partly: open also a lake that has other tables, whose rows nobody sees then.
            clock: gives the time in epoch seconds, for ``_indextime``.

        Raises:
            EscudoError: LAK001 not a lake, LAK002 nothing there and not ``create``, LAK003
                ledger missing or damaged, LAK004 another format, LAK013 not writable, LAK016
                tables of sources that are not given, LAK029 a URL without a ledger, LAK030 the
                ledger of another lake.
        """
        at = make_place(place, None) if isinstance(place, str) else place
        if isinstance(at, SharedLake):
            ledger = _open_shared(at, create=create)
        else:
            ledger = _open_folder(at, create=create)
        lake = cls(at, ledger, tables or load_tables(), clock=clock)
        sweep_dead(lake.storage, lake.tables_folder, ledger)
        if not partly:
            lake._check_tables()
        return lake

    @classmethod
    def create_temporary(
        cls, *, tables: Tables | None = None, clock: Callable[[], float] = time.time
    ) -> Lake:
        """Makes a lake that is deleted when it is closed."""
        sweep_temporary()
        try:
            folder = tempfile.TemporaryDirectory(
                prefix=name_temporary(), ignore_cleanup_errors=True
            )
        except OSError as error:
            raise unwritable(Path(tempfile.gettempdir()), error) from error
        path = Path(folder.name)
        return cls(path, Ledger.create(path / LEDGER), tables or load_tables(), folder, clock)

    def _check_tables(self) -> None:
        unknown = self.tables.unknown(self.ledger.head().versions)
        if unknown:
            raise EscudoError(
                "LAK016",
                f"{self.place} holds {', '.join(sorted(unknown))}, which no given source defines",
                hint="name its folder with --sources, as when the events came in",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.ledger.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def place(self) -> str:
        """What messages call it: a path, or a URL."""
        return self.storage.url

    @property
    def path(self) -> Path:
        """Its folder; of one that is not on this machine, that for what is of this machine."""
        return provide_local_folder(self.at)

    @property
    def tables_folder(self) -> Storage:
        return self.storage.below(TABLES)

    @property
    def rejected_folder(self) -> Storage:
        """Where input that could not be read is kept, as JSON lines."""
        return self.storage.below(REJECTED)

    @property
    def artifacts(self) -> Artifacts:
        """The lookups, models and results that searches have left."""
        return Artifacts(self.storage, self.ledger)

    def snapshot(self) -> Snapshot:
        """What is committed now; it stays as it is while others write."""
        head = self.ledger.head()
        with self._lock:
            if self._snapshot is None or self._snapshot.commit.id != head.id:
                self._snapshot = Snapshot(
                    self.tables_folder, self.tables, head, self.checked, raw=self._open_labelled()
                )
            return self._snapshot

    def _open_labelled(self) -> Sequence[TableSchema]:
        """The raw tables, those whose events carry labels without what their source says."""
        labelled = {name.removeprefix(MARKS) for name in self.ledger.marks(MARKS)}
        if labelled != self._labelled:
            opened = {t.table: t for t in open_labels(self.tables.raw)}
            self._raw = tuple(
                opened[t.table] if t.table in labelled else t for t in self.tables.raw
            )
            self._labelled = labelled
        return self._raw

    def writer(self) -> Writer:
        """A writer; several may write at the same time, in this process and in others."""
        return Writer(self.storage, self.tables_folder, self.tables, self.ledger, clock=self._clock)

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self.snapshot().dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self.snapshot().datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return self.snapshot().raw_tables()

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return self.snapshot().files(table, within)


def _open_shared(at: SharedLake, *, create: bool) -> Ledger:
    storage = open_storage(at.url)
    there = read_identity(storage)
    ledger = open_ledger(at.ledger, create=create)
    try:
        join_ledger(storage, there, ledger, create=create)
    except BaseException:
        ledger.close()
        raise
    sweep_temporary()
    return ledger


def _open_folder(path: Path, *, create: bool) -> Ledger:
    refuse_url(path, "lake")
    file = path / LEDGER
    if file.is_file() and file.stat().st_size:
        return Ledger.open(file)
    if (path / SHARED).is_file():
        raise EscudoError("LAK029", f"{path} has its ledger elsewhere")
    if (path / TABLES).is_dir():
        raise EscudoError("LAK003", f"{file} is missing")
    if path.exists() and not (path.is_dir() and _only(file, path)):
        raise EscudoError("LAK001", f"{path} is not a lake")
    if not create:
        raise EscudoError("LAK002", f"{path} holds no lake")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return Ledger.create(file)


def _only(file: Path, folder: Path) -> bool:
    """Whether a folder is empty, or another process is just making a ledger in it."""
    return all(entry.name.startswith(file.name) for entry in folder.iterdir())
