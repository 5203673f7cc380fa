"""A commit of a lake -> the catalog that searches read, however long they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.lake.delta import DataFile, active_files
from escudo.lake.digests import Checked
from escudo.lake.ledger import Commit
from escudo.lake.tables import Tables

_LEAST = np.iinfo(np.int64).min
_GREATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class _Index:
    files: tuple[DataFile, ...]
    paths: tuple[str, ...]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]


class Snapshot:
    """A catalog (``core.catalog.Catalog``) whose tables stay at the versions of one commit.

    Writers do not disturb it: files that it names are kept for the retention period of
    ``maintenance.expire``.
    """

    def __init__(
        self, folder: Path, tables: Tables, commit: Commit, checked: Checked | None = None
    ) -> None:
        self._checked = checked or Checked()
        self.commit = commit
        self._folder = folder
        self._tables = tables
        self._indexes: dict[str, _Index] = {}
        self._lock = Lock()

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self._tables.models.dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self._tables.models.datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return self._tables.raw

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        """The Parquet files of a table that can hold events of a time range, by their times.

        Raises:
            EscudoError: LAK005 if one of them is gone, LAK018 if one is damaged, LAK006 if the
                table's log is.
        """
        index = self._index(table)
        keep = np.ones(len(index.paths), dtype=bool)
        if within.earliest is not None:
            keep &= index.high >= np.floor(within.earliest * 1_000_000)
        if within.latest is not None:
            keep &= index.low < np.ceil(within.latest * 1_000_000)
        chosen = tuple(index.paths[i] for i in np.flatnonzero(keep))
        self._checked.require(table, chosen)
        return chosen

    def data_files(self, table: str) -> tuple[DataFile, ...]:
        """The files of a table with their rows, sizes and times; none if it has no rows yet."""
        return self._index(table).files

    def tables(self) -> list[str]:
        """The names of the tables that have been written to."""
        return sorted(self.commit.versions)

    def _index(self, table: str) -> _Index:
        with self._lock:
            if table not in self._indexes:
                self._indexes[table] = self._read(table)
            return self._indexes[table]

    def _read(self, table: str) -> _Index:
        version = self.commit.versions.get(table)
        files = [] if version is None else active_files(self._folder / table, version)
        files.sort(key=lambda f: (_LEAST if f.low is None else f.low, f.path))
        return _Index(
            tuple(files),
            tuple(str(self._folder / table / f.path) for f in files),
            np.array([_LEAST if f.low is None else f.low for f in files], dtype=np.int64),
            np.array([_GREATEST if f.high is None else f.high for f in files], dtype=np.int64),
        )
