"""Rows of one table -> Parquet files, closed by size and day, not yet committed; for writers."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.lake.delta import DataFile, sync
from escudo.lake.digests import seal
from escudo.lake.layout import Layout, Stretch, arrange, cut_by_day, find_time_bounds
from escudo.storage import Storage, open_file

FULL_BYTES = 128 << 20
"""Bytes of a file that is closed and not written on."""

DAY_ROWS = 20_000
"""Rows of a day that has a file of its own.

Smaller neighbours share one: many small files cost more than reading a row group too many
(2026-11-24, real EVTX: writing 1.5 -> 0.7 s of CPU, a lake 60 % smaller).
"""

_WRITE_BATCH = 8192
"""Values that are encoded together. These, and pages of the second version, whose levels are not
copied to the values, take 7 % off the encoding of raw events (2026-11-26, 2 cores)."""


class ParquetFiles:
    """The files of one table that one writer has written since its last commit.

    Rows of a day go to one file unless the day is small; so a time window reads only its files,
    and logs that scatter over years do not make thousands of them. Their names begin with
    ``owner`` (``leftovers.Work.token``).

    ``drafts`` is the folder that they are written in, and moved from when they are whole; it is the
    table's own where that is one of this machine.
    """

    def __init__(self, table: Storage, layout: Layout, *, owner: str, drafts: Path) -> None:
        self._table = table
        self._folder = drafts
        self._owner = owner
        self._layout = layout
        self._open: _OpenFile | None = None
        self._syncer = ThreadPoolExecutor(1, "escudo-sync")
        self._sealing: list[tuple[DataFile, Future[DataFile]]] = []

    def write(self, rows: pa.Table) -> None:
        """Adds rows that have the table's schema, in any order."""
        for stretch in cut_by_day(arrange(rows, self._layout), DAY_ROWS):
            self._place(stretch).write(stretch.rows)
            if self._open is not None and self._open.size >= FULL_BYTES:
                self._close()

    def finish(self) -> list[DataFile]:
        """Closes the open file; gives the files since the last call and forgets them.

        They are on the disk then. Raises OSError if one of them could not be written.
        """
        self._close()
        files = [sealed.result() for _, sealed in self._sealing]
        self._sealing = []
        return files

    def discard(self) -> None:
        """Deletes every file that was not handed out by ``finish``."""
        if self._open is not None:
            unfinished, self._open = self._open, None
            unfinished.abandon()
        wait([sealed for _, sealed in self._sealing])
        for file, sealed in self._sealing:
            left = file if sealed.exception() is not None else sealed.result()
            with suppress(FileNotFoundError):
                (self._folder / left.path).unlink()
            if self._table.path is None and sealed.exception() is None:
                self._table.delete(left.path)
        self._sealing = []

    def _place(self, stretch: Stretch) -> _OpenFile:
        file = self._open
        if file is not None and not file.takes(stretch):
            self._close()
            file = None
        if file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._open = _OpenFile(self._new_path(), self._layout, stretch.rows)
        first, last = stretch.first_day, stretch.last_day
        file.day_low = first if file.day_low is None else min(first, file.day_low)
        file.day_high = last if file.day_high is None else max(last, file.day_high)
        return file

    def _new_path(self) -> Path:
        return self._folder / f"{self._owner}{uuid.uuid4().hex[len(self._owner) :]}.parquet"

    def _close(self) -> None:
        """Closes the open file; it is sealed and goes to the disk while the next one is written."""
        if self._open is not None:
            file, self._open = self._open, None
            try:
                closed = file.close()
            except BaseException:
                file.abandon()
                raise
            self._sealing.append((closed, self._syncer.submit(self._seal, file.path, closed)))

    def _seal(self, path: Path, file: DataFile) -> DataFile:
        """Waits until a file is where it stays, and names it after its content."""
        sync(path)
        sealed = seal(path)
        if self._table.path is None:
            self._table.take(sealed, sealed.name)
        return replace(file, path=sealed.name)


def count_sources(place: str) -> Counter[str]:
    """The events of a file by the log that was opened for them: of archives, the outermost one."""
    counts = pc.value_counts(
        pq.read_table(open_file(place), columns=["source_file"])["source_file"]
    )
    totals: Counter[str] = Counter()
    for entry in counts.to_pylist():
        totals[str(entry["values"]).partition("!")[0]] += entry["counts"]
    return totals


class _OpenFile:
    def __init__(self, path: Path, layout: Layout, first: pa.Table) -> None:
        self.path = path
        self._sink = pa.OSFile(str(self.path), "wb")
        self._row_group = layout.row_group
        try:
            self._writer = pq.ParquetWriter(
                self._sink,
                layout.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=layout.repeating(first),
                write_statistics=layout.statistics,
                data_page_version="2.0",
                write_batch_size=_WRITE_BATCH,
            )
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        self._rows = 0
        self._low: int | None = None
        self._high: int | None = None
        self.day_low: int | None = None
        self.day_high: int | None = None

    @property
    def size(self) -> int:
        return int(self._sink.tell())

    def takes(self, stretch: Stretch) -> bool:
        if self.day_low == stretch.first_day == stretch.last_day == self.day_high:
            return True
        return self._rows < DAY_ROWS and stretch.rows.num_rows < DAY_ROWS

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=self._row_group)
        low, high = find_time_bounds(rows)
        self._low = low if self._low is None else min(low, self._low)
        self._high = high if self._high is None else max(high, self._high)
        self._rows += rows.num_rows

    def abandon(self) -> None:
        """Deletes the file, however far it came."""
        for end in (self._writer.close, self._sink.close, self.path.unlink):
            with suppress(OSError, pa.ArrowException):
                end()

    def close(self) -> DataFile:
        self._writer.close()
        size = self.size
        self._sink.close()
        return DataFile(self.path.name, self._rows, size, self._low, self._high)
