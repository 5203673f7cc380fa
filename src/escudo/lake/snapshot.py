"""A commit of a lake -> the catalog that searches read, however long they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.catalog import TableVersion
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.lake.delta import DataFile, list_active
from escudo.lake.digests import Checked
from escudo.lake.ledger import Commit
from escudo.lake.tables import Tables
from escudo.storage import Storage

_LEAST = np.iinfo(np.int64).min
_GREATEST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Index:
    """The files of a table in the order of their times: their names, and all that is known."""

    names: npt.NDArray[np.object_]
    listed: pa.Table
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    @cached_property
    def files(self) -> tuple[DataFile, ...]:
        columns = (column.to_pylist() for column in self.listed)
        return tuple(DataFile(*file) for file in zip(*columns, strict=True))


class Snapshot:
    """A catalog (``core.catalog.Catalog``) whose tables stay at the versions of one commit.

    Writers do not disturb it: files that it names are kept for the retention period of
    ``maintenance.expire``.
    """

    def __init__(
        self,
        tables_folder: Storage,
        tables: Tables,
        commit: Commit,
        checked: Checked | None = None,
        *,
        raw: Sequence[TableSchema] | None = None,
    ) -> None:
        self._checked = checked or Checked()
        self.commit = commit
        self._folder = tables_folder
        self._tables = tables
        self._raw = tables.raw if raw is None else raw
        self._indexes: dict[str, _Index] = {}
        self._lock = Lock()

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self._tables.models.dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self._tables.models.datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return self._raw

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        """The Parquet files of a table that can hold events of a time range, by their times.

        Raises:
            EscudoError: LAK005 if one of them is gone, LAK018 if one is damaged, LAK006 if the
                table's log is.
        """
        index = self._index(table)
        keep = np.ones(len(index.names), dtype=bool)
        if within.earliest is not None:
            keep &= index.high >= np.floor(within.earliest * 1_000_000)
        if within.latest is not None:
            keep &= index.low < np.ceil(within.latest * 1_000_000)
        chosen = tuple(self._folder.place(f"{table}/{name}") for name in index.names[keep])
        self._checked.require(table, chosen)
        return chosen

    def version(self, table: str) -> TableVersion | None:
        """Where a table's Delta log is, and its version here; None if it has no rows yet."""
        version = self.commit.versions.get(table)
        return None if version is None else TableVersion(self._folder.below(table).url, version)

    def data_files(self, table: str) -> tuple[DataFile, ...]:
        """The files of a table with their rows, sizes and times; none if it has no rows yet."""
        return self._index(table).files

    def list_added(self, since: Snapshot, tables: Iterable[str]) -> dict[str, list[DataFile]]:
        """The files that some tables have here and had not in an earlier state; only tables that
        have some."""
        added: dict[str, list[DataFile]] = {}
        for table in tables:
            if self.commit.versions.get(table) != since.commit.versions.get(table):
                had = {file.path for file in since.data_files(table)}
                new = [file for file in self.data_files(table) if file.path not in had]
                if new:
                    added[table] = new
        return added

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
        if version is None:
            return _NOTHING
        listed = list_active(self._folder.below(table), version)
        order = pc.sort_indices(
            listed,
            [("low", "ascending", "at_start"), ("path", "ascending", "at_end")],
        )
        listed = listed.take(order)
        return _Index(
            listed["path"].to_numpy(),
            listed,
            pc.fill_null(listed["low"], _LEAST).to_numpy(),
            pc.fill_null(listed["high"], _GREATEST).to_numpy(),
        )


_NONE = np.array([], dtype=np.int64)
_NOTHING = _Index(np.array([], dtype=object), pa.table({}), _NONE, _NONE)
