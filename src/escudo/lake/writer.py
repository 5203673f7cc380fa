"""Rows -> Parquet files as they come, then one commit that makes all of them visible.

Ingests, effects of searches and findings write by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain
from types import TracebackType
from typing import Self, TypeVar

import pyarrow as pa

from escudo.cim.model_batch import ModelBatch
from escudo.core.errors import EscudoError
from escudo.lake import delta
from escudo.lake.delta import DataFile, unwritable
from escudo.lake.event_ids import EventIds, assign_event_ids, put_column
from escudo.lake.labels import MARKS
from escudo.lake.layout import concat, conform, fill_times
from escudo.lake.ledger import Commit, IngestedFile, Ledger, Mark
from escudo.lake.leftovers import Work
from escudo.lake.parquet_files import ParquetFiles
from escudo.lake.snapshot import Snapshot
from escudo.lake.tables import Tables
from escudo.sources.raw_batch import RawBatch
from escudo.storage import Storage

T = TypeVar("T")

_LOGS_AT_ONCE = 16
"""Logs of tables elsewhere that are written at once."""

BUFFER_BYTES = 40 << 20
"""Bytes of a table's rows that are kept before they are sorted and encoded."""

BUFFERS_BYTES = 64 << 20
"""Bytes of the rows of all tables together; beyond it the largest buffer is encoded."""

_ENCODERS = 2
"""Buffers that are encoded at once, also two of one table (2026-11-26: near the end of a file raw
events waited for one encoder while the other had nothing to do)."""


class Writer:
    """Appends to a lake; made by ``Lake.writer``. Use it in a ``with`` block, from one thread.

    Encoding runs in threads of its own, so that it overlaps with reading and normalising. Two
    buffers are encoded at once, also of one table, whose rows then go to two files. What was not
    committed when the block ends is dropped.

    >>> from escudo.lake import Lake
    >>> with Lake.create_temporary() as lake, lake.writer() as writer:
    ...     writer.commit().versions
    {}
    """

    def __init__(
        self,
        lake: Storage,
        tables_folder: Storage,
        tables: Tables,
        ledger: Ledger | None,
        *,
        clock: Callable[[], float],
        work: Work | None = None,
        ids: EventIds | None = None,
    ) -> None:
        """``work`` and ``ids`` are those of another writer, whose ledger commits what this one
        finishes; else they are its own."""
        self.work = work or Work(lake)
        self._folder = tables_folder
        self._tables = tables
        self._ledger = ledger
        self._clock = clock
        self._ids = ids or EventIds(ledger)
        self._buffers: dict[str, list[pa.Table]] = {}
        self._sizes: dict[str, int] = {}
        self._targets: dict[str, list[ParquetFiles]] = {}
        self._adopted: dict[str, list[DataFile]] = {}
        self._encoder = ThreadPoolExecutor(_ENCODERS, "escudo-encode")
        self._encoding: dict[Future[None], ParquetFiles] = {}
        self.written: Mapping[str, Sequence[DataFile]] = {}
        """The files that the last commit added, by table."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()
        self._encoder.shutdown()
        self.work.end()

    def assign_event_ids(self, batch: RawBatch) -> RawBatch:
        """Gives events their ``_event_id`` and ``_indextime``, and a ``_time`` if they have none.

        Do this before the batch is normalised: model rows refer to their events by the id.
        """
        return RawBatch(batch.family, assign_event_ids(batch.table, self._ids, self._now()))

    def append_raw(self, batch: RawBatch) -> None:
        """Adds the events of a batch that has its ids to the table of its family."""
        self._append(batch.family.schema.table, batch.table)

    def append_model(self, batch: ModelBatch) -> None:
        """Adds rows of a dataset, which carry the ids of their events."""
        self._append(batch.table, batch.data)

    def append_rows(self, table: str, rows: pa.Table) -> None:
        """Adds rows to any table; those without ``_event_id`` get new ones.

        Raises:
            EscudoError: LAK008 if the table is unknown or the rows do not fit it.
        """
        now = self._now()
        if "_event_id" not in rows.column_names:
            rows = put_column(rows, "_event_id", self._ids.take(rows.num_rows))
        if "_indextime" in self._tables.layout(table).schema.names and (
            "_indextime" not in rows.column_names
        ):
            rows = put_column(rows, "_indextime", pa.repeat(now, rows.num_rows))
        if "_time" not in rows.column_names:
            rows = put_column(rows, "_time", pa.repeat(now, rows.num_rows))
        self._append(table, fill_times(rows, now))

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
        """Makes all rows since the last commit visible at once, and durable.

        Args:
            files: the files whose events these are, if they are files; so they are recognised.
            kind: what the ledger calls the commit.
            again: whether files that are in the lake already are meant to come in once more.
            since: what the rows were derived from, if they are wrong once one of their tables
                has changed since (rows that are added only where they are not yet, say).
            marks: how far what gave the rows has been read now; kept with them or not at all.
            labelled: tables some of whose rows carry labels (``labels.find_labelled``); readers
                know it with the commit.

        Raises:
            EscudoError: LAK009 if one of the files is in the lake already; then nothing is
                committed and the rows are dropped. LAK012, likewise, if a table has changed
                ``since``. LAK020, likewise, if a mark is not any more where it was read on from.
                LAK006, LAK007 as in ``codes``.
        """
        self.written = {}
        written = self.finish()
        for table, adopted in self._adopted.items():
            written.setdefault(table, []).extend(adopted)
        self._adopted = {}
        commit = self._acknowledge(
            written,
            list(files),
            kind=kind,
            again=again,
            since=since,
            marks=marks,
            labelled=labelled,
        )
        self.written = written
        return commit

    def adopt(self, files: Mapping[str, Sequence[DataFile]]) -> None:
        """Takes files by table, which other writers finished that have this one's work; the next
        commit makes their rows visible."""
        for table, adopted in files.items():
            self._adopted.setdefault(table, []).extend(adopted)

    def discard(self) -> None:
        """Drops the rows since the last commit."""
        self._delete(self._adopted)
        self._adopted = {}
        self._buffers.clear()
        self._sizes.clear()
        wait(self._encoding)
        self._encoding.clear()
        for target in self._every_target():
            target.discard()

    def _append(self, table: str, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        rows = conform(rows, self._tables.layout(table), table)
        self._buffers.setdefault(table, []).append(rows)
        self._sizes[table] = self._sizes.get(table, 0) + rows.nbytes
        if self._sizes[table] >= BUFFER_BYTES:
            self._encode(table)
        elif sum(self._sizes.values()) >= BUFFERS_BYTES:
            self._encode(max(self._sizes, key=self._sizes.__getitem__))

    def _now(self) -> pa.Scalar:
        return pa.scalar(int(self._clock() * 1_000_000), pa.timestamp("us", tz="UTC"))

    def _encode(self, table: str) -> None:
        """Has a table's buffer encoded, once one of the encoders is free."""
        if len(self._encoding) == _ENCODERS:
            self._wait(FIRST_COMPLETED)
        self.work.renew()
        rows = concat(self._buffers.pop(table))
        del self._sizes[table]
        target = self._free_target(table)
        self._encoding[self._encoder.submit(target.write, rows)] = target

    def _free_target(self, table: str) -> ParquetFiles:
        every = self._targets.setdefault(table, [])
        for target in every:
            if target not in self._encoding.values():
                return target
        try:
            self.work.begin()
        except OSError as error:
            raise unwritable(self._folder.url, error) from error
        layout = self._tables.layout(table)
        folder = self._folder.below(table)
        drafts = self.work.find_drafts(folder)
        every.append(ParquetFiles(folder, layout, owner=self.work.token, drafts=drafts))
        return every[-1]

    def _every_target(self) -> Iterator[ParquetFiles]:
        return chain.from_iterable(self._targets.values())

    def _wait(self, until: str = ALL_COMPLETED) -> None:
        for encoded in wait(self._encoding, return_when=until).done:
            del self._encoding[encoded]
            self._result(encoded)

    def _result(self, future: Future[T]) -> T:
        try:
            return future.result()
        except OSError as error:
            raise unwritable(self._folder.url, error) from error

    def finish(self) -> dict[str, list[DataFile]]:
        """The files since the last commit, by table, whole and on the disk: encodes what is left,
        the largest table first, and closes them. Who calls this by itself has them adopted."""
        sizes = self._sizes.copy()
        for table in sorted(sizes, key=sizes.__getitem__, reverse=True):
            self._encode(table)
        self._wait()
        closed = {p: self._encoder.submit(p.finish) for p in self._every_target()}
        wait(closed.values())
        finished: dict[str, list[DataFile]] = {}
        for table, targets in self._targets.items():
            files = [f for p in targets if not closed[p].exception() for f in closed[p].result()]
            if files:
                finished[table] = files
        for future in closed.values():
            if future.exception():
                self._delete(finished)
            self._result(future)
        return finished

    def _acknowledge(
        self,
        written: Mapping[str, list[DataFile]],
        files: list[IngestedFile],
        *,
        kind: str,
        again: bool,
        since: Snapshot | None,
        marks: Sequence[Mark],
        labelled: Collection[str],
    ) -> Commit:
        assert self._ledger is not None, "another writer commits"
        with self._ledger.exclusive() as transaction:
            self.work.require()
            head = transaction.head()
            known = [] if again else transaction.known(f.identity for f in files)
            if known:
                self._delete(written)
                raise EscudoError("LAK009", f"{known[0].path} has the same content")
            changed = [] if since is None else _changed(since.commit, head, written)
            if changed:
                self._delete(written)
                raise EscudoError("LAK012", f"table {changed[0]} was written to meanwhile")
            try:
                transaction.set_marks(marks)
            except EscudoError:
                self._delete(written)
                raise
            if not written and not files:
                return head
            if labelled:
                transaction.note(MARKS + table for table in labelled)
            versions = {**head.versions, **self._append_to_logs(head, written)}
            commit = transaction.record(kind, versions, files)
        for table in written:
            before = head.versions.get(table, 0)
            delta.checkpoint(self._folder.below(table), before, versions[table])
        return commit

    def _append_to_logs(
        self, head: Commit, written: Mapping[str, list[DataFile]]
    ) -> Mapping[str, int]:
        """Commits files to each table's log, some tables at a time; their new versions."""

        def append(table: str) -> int:
            return delta.append(
                self._folder.below(table),
                self._tables.layout(table).schema,
                written[table],
                pinned=head.versions.get(table),
            )

        if self._folder.path is not None:
            appended = {table: self._encoder.submit(append, table) for table in written}
            wait(appended.values())
        else:  # a commit is a dozen requests, one after the other
            with ThreadPoolExecutor(_LOGS_AT_ONCE, "escudo-append") as senders:
                appended = {table: senders.submit(append, table) for table in written}
        return {table: version.result() for table, version in appended.items()}

    def _delete(self, written: Mapping[str, list[DataFile]]) -> None:
        for table, files in written.items():
            for file in files:
                self._folder.below(table).delete(file.path)


def _changed(before: Commit, now: Commit, tables: Iterable[str]) -> list[str]:
    return [t for t in tables if before.versions.get(t) != now.versions.get(t)]
