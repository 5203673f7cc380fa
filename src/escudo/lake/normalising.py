"""Raw batches -> rows of data models in a lake, many small batches at once; for ``ingest``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.cim.models import Models
from escudo.cim.normalise import Normaliser
from escudo.engines.duckdb.connection import Prelude, connect
from escudo.lake.layout import concat
from escudo.lake.report import FileReport
from escudo.lake.tables import DataModels
from escudo.lake.writer import Writer
from escudo.sources import Family
from escudo.sources.raw_batch import RawBatch

_PROCESSES = "endpoint_processes"

TOGETHER = 25_000
"""Events of a family that are normalised together.

Normalising a batch costs 5 to 30 ms whatever its size (2026-11-24, 2 cores), and a folder of small
files makes thousands.
"""

TOGETHER_BYTES = 32 << 20
"""Bytes, in the columns that are read, that are normalised together."""


def make_normaliser(models: DataModels | None = None) -> Normaliser:
    """A normaliser with a connection of its own, for these data models."""
    known = models if isinstance(models, Models) else None
    return Normaliser(connect(threads=1, macros=False), known, Prelude())


@dataclass(slots=True)
class _Held:
    family: Family
    tables: list[pa.Table] = field(default_factory=list)
    reports: list[FileReport] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    events: int = 0
    bytes: int = 0


class NormalisingWriter:
    """Normalises what it is given and appends it; counts it in the reports of the files."""

    def __init__(
        self, writer: Writer, models: DataModels, normaliser: Normaliser | None = None
    ) -> None:
        self._writer = writer
        self._models = models
        self._given = normaliser
        self._held: dict[str, _Held] = {}

    @cached_property
    def _normaliser(self) -> Normaliser:
        """Not made before there are events: the next ones are read meanwhile."""
        return self._given or make_normaliser(self._models)

    def add(self, batch: RawBatch, report: FileReport) -> None:
        """Takes a batch that has its ids, in their order (``Writer.assign_event_ids``)."""
        if not batch.table.num_rows:
            return
        reads = self._normaliser.reads(batch.family)
        if not reads:
            return
        table = batch.table.select(reads)
        held = self._held.setdefault(batch.family.name, _Held(batch.family))
        held.tables.append(table)
        held.reports.append(report)
        held.starts.append(batch.table["_event_id"][0].as_py())
        held.events += table.num_rows
        held.bytes += table.nbytes
        if held.events >= TOGETHER or held.bytes >= TOGETHER_BYTES:
            self._normalise(self._held.pop(batch.family.name))

    def flush(self) -> None:
        """Normalises what is held; for use before a commit."""
        waiting, self._held = self._held, {}
        for held in waiting.values():
            self._normalise(held)

    def _normalise(self, held: _Held) -> None:
        together = RawBatch(held.family, concat(held.tables))
        seen: list[npt.NDArray[np.int64]] = []
        for rows in self._normaliser.normalise(together):
            self._writer.append_model(rows)
            ids = rows.data["_event_id"].to_numpy()
            seen.append(ids)
            for report, count in _by_file(held, ids):
                report.datasets[rows.table] += count
            if rows.table == _PROCESSES:
                for report, count in _by_file(held, ids[_unnamed(rows.data)]):
                    report.unnamed += count
        if seen:
            for report, count in _by_file(held, np.unique(np.concatenate(seen))):
                report.normalised += count


def _unnamed(rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Which processes have neither a name nor a command line."""
    out = np.ones(rows.num_rows, dtype=bool)
    for name in ("process_name", "process"):
        empty = pc.is_in(rows[name], pa.array([None, "", "-", "unknown"], pa.string()))
        out &= empty.to_numpy()
    return out


def _by_file(held: _Held, ids: npt.NDArray[np.int64]) -> list[tuple[FileReport, int]]:
    """How many of some event ids are of each batch, by its file's report."""
    batch = np.searchsorted(held.starts, ids, side="right") - 1
    counts = np.bincount(batch, minlength=len(held.reports)).tolist()
    return [(r, n) for r, n in zip(held.reports, counts, strict=True) if n]
