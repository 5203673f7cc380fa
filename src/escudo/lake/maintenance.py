"""A lake -> what is in it; or the lake with merged files, or without old data or some events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.core.errors import EscudoError
from escudo.lake import delta
from escudo.lake.delta import DataFile
from escudo.lake.layout import DAY
from escudo.lake.leftovers import Work, drop_unfinished, sweep_lake
from escudo.lake.parquet_files import DAY_ROWS, FULL_BYTES, count_sources
from escudo.lake.rewrite import rewrite
from escudo.lake.snapshot import Snapshot
from escudo.lake.store import Lake
from escudo.lake.vacuum import vacuum
from escudo.storage import open_file

RETENTION = timedelta(days=1)
"""How long files are kept after they left the tables, for those who are still reading them."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table's size. Times are in epoch seconds, None where it has no rows."""

    name: str
    version: int
    rows: int
    files: int
    bytes: int
    earliest: float | None
    latest: float | None


@dataclass(frozen=True, slots=True)
class LakeInfo:
    """What is in a lake at a commit; ``ingested`` counts the files that came in."""

    path: str
    commit: int
    committed: float
    ingested: int
    rejected: int
    tables: tuple[TableInfo, ...]
    artifacts: tuple[tuple[str, int], ...] = ()
    """The files that searches have left (``lookups/seen.csv``), with their bytes."""


@dataclass(frozen=True, slots=True)
class Change:
    """A table before and after maintenance."""

    table: str
    files_before: int
    files_after: int
    rows_dropped: int


@dataclass(frozen=True, slots=True)
class Maintained:
    """What maintenance did: the tables it changed, and the bytes that it freed on the disk."""

    changes: tuple[Change, ...] = ()
    freed: int = 0


@dataclass(frozen=True, slots=True)
class _Edit:
    """Files that take the place of others."""

    removed: Sequence[DataFile]
    added: Sequence[DataFile]


_Planner = Callable[[Work, str, Sequence[DataFile]], Iterator[_Edit]]


def info(lake: Lake) -> LakeInfo:
    """The tables of a lake with their rows, files, bytes and times, and what searches have left."""
    snapshot = lake.snapshot()
    files = lake.ledger.files()
    return LakeInfo(
        path=lake.place,
        commit=snapshot.commit.id,
        committed=snapshot.commit.committed,
        ingested=len(files),
        rejected=sum(f.rejected for f in files),
        tables=tuple(_table_info(snapshot, name) for name in snapshot.tables()),
        artifacts=tuple(lake.artifacts.sizes()),
    )


def compact(lake: Lake, *, retention: timedelta = RETENTION) -> Maintained:
    """Merges small files into large ones in the table's order; readers notice nothing.

    Others may write meanwhile. Doing it again changes nothing.

    Args:
        retention: how long the merged files are kept for those who still read them.
    """

    def merged(work: Work, table: str, files: Sequence[DataFile]) -> Iterator[_Edit]:
        for group in group_mergeable(files):
            yield _Edit(group, _rewritten(lake, work, table, group))

    return _maintain(lake, "compact", merged, retention)


def expire(lake: Lake, older_than: float, *, retention: timedelta = RETENTION) -> Maintained:
    """Drops all events before a time, raw and in data models.

    Args:
        older_than: epoch seconds; events at this time stay.
        retention: how long the dropped data stays on the disk for those who still read it. What
            left the tables longer ago than that is deleted now.
    """
    return expire_tables(lake, lambda _table: older_than, retention=retention)


def expire_tables(
    lake: Lake,
    older_than: Callable[[str], float | None],
    *,
    retention: timedelta = RETENTION,
) -> Maintained:
    """Drops the events of each table before a time of its own; None keeps them all. See
    ``expire``."""

    def shortened(work: Work, table: str, files: Sequence[DataFile]) -> Iterator[_Edit]:
        limit = older_than(table)
        if limit is None:
            return
        since = round(limit * 1_000_000)
        for file in files:
            if file.low is None or file.high is None or file.low >= since:
                continue
            kept = _rewritten(lake, work, table, [file], since=since) if file.high >= since else []
            yield _Edit([file], kept)

    return _maintain(lake, "expire", shortened, retention)


def delete(lake: Lake, event_ids: Sequence[int]) -> Maintained:
    """Takes events out of all tables, raw and in data models.

    What is left of their files is written anew. The events stay on the disk for the retention
    period, for those who still read them; the next maintenance deletes them for good.

    Args:
        event_ids: the ``_event_id`` of each; unknown ones do not matter.
    """
    gone = pa.array(event_ids, pa.int64())

    def shortened(work: Work, table: str, files: Sequence[DataFile]) -> Iterator[_Edit]:
        for file in files:
            held = _read_ids(lake.tables_folder.place(f"{table}/{file.path}"), table)
            if pc.any(pc.is_in(held["_event_id"], gone)).as_py():
                yield _Edit([file], _rewritten(lake, work, table, [file], without=gone))

    return _maintain(lake, "delete", shortened, RETENTION)


def group_mergeable(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    """Groups of small files that shall be one: of the same day, or of neighbouring small days.

    It puts together what ``ParquetFiles`` would have put together, had the rows come at once.
    """
    group: list[DataFile] = []
    for file in sorted(files, key=lambda f: (f.low or 0, f.path)):
        if group and not _fits(group, file):
            if len(group) > 1:
                yield group
            group = []
        if file.size < FULL_BYTES // 2:
            group.append(file)
    if len(group) > 1:
        yield group


def _fits(group: Sequence[DataFile], file: DataFile) -> bool:
    if sum(f.size for f in group) + file.size > FULL_BYTES:
        return False
    days = {day for f in [*group, file] for day in ((f.low or 0) // DAY, (f.high or 0) // DAY)}
    return len(days) == 1 or (file.rows < DAY_ROWS and sum(f.rows for f in group) < DAY_ROWS)


def _read_ids(place: str, table: str) -> pa.Table:
    try:
        return pq.read_table(open_file(place), columns=["_event_id"])
    except FileNotFoundError as error:
        raise EscudoError("LAK005", f"table {table}: {place} is missing") from error
    except (OSError, pa.ArrowException) as error:
        raise EscudoError("LAK018", f"table {table}: {place} cannot be read") from error


def _rewritten(
    lake: Lake,
    work: Work,
    table: str,
    files: Sequence[DataFile],
    *,
    since: int | None = None,
    without: pa.Array | None = None,
) -> list[DataFile]:
    folder = lake.tables_folder.below(table)
    lake.checked.require(table, [folder.place(f.path) for f in files])
    try:
        work.begin()
    except OSError as error:
        raise delta.unwritable(lake.place, error) from error
    return rewrite(
        folder,
        lake.tables.layout(table),
        files,
        work=work,
        since=since,
        without=without,
    )


def _maintain(lake: Lake, kind: str, plan: _Planner, retention: timedelta) -> Maintained:
    """Makes the edits of all tables visible together, then deletes files that nobody reads.

    Another maintenance may be faster with a file; then it is planned anew.
    """
    changes: tuple[Change, ...] | None = None
    while changes is None:
        with Work(lake.storage) as work:
            try:
                snapshot = lake.snapshot()
                edits = {t: list(plan(work, t, snapshot.data_files(t))) for t in snapshot.tables()}
                changes = _apply(lake, kind, {t: e for t, e in edits.items() if e}, work)
            finally:
                if changes is None and work.folder.exists():
                    drop_unfinished(lake.tables_folder, lake.ledger, work.token)
    freed = vacuum(lake.tables_folder, lake.ledger, retention)
    return Maintained(changes, freed + sweep_lake(lake.storage))


def _apply(
    lake: Lake, kind: str, edits: Mapping[str, Sequence[_Edit]], work: Work
) -> tuple[Change, ...] | None:
    """Commits edits; None, without effect, if a file they remove is gone already."""
    if not edits:
        return ()
    changes = []
    with lake.ledger.exclusive() as transaction:
        work.require()
        head = transaction.head()
        versions = dict(head.versions)
        for table, planned in edits.items():
            removed = [f for edit in planned for f in edit.removed]
            added = [f for edit in planned for f in edit.added]
            active = delta.active_files(lake.tables_folder.below(table), head.versions[table])
            if not {f.path for f in removed} <= {f.path for f in active}:
                return None
            dropped = sum(f.rows for f in removed) - sum(f.rows for f in added)
            if dropped and table.startswith("raw_"):
                transaction.note_dropped(_count_dropped(lake, table, removed, added))
            versions[table] = delta.append(
                lake.tables_folder.below(table),
                lake.tables.layout(table).schema,
                added,
                removed,
                pinned=head.versions[table],
                same_content=dropped == 0,
            )
            after = len(active) - len(removed) + len(added)
            changes.append(Change(table, len(active), after, dropped))
        transaction.record(kind, versions)
    for table in edits:
        delta.checkpoint(lake.tables_folder.below(table), head.versions[table], versions[table])
    return tuple(changes)


def _count_dropped(
    lake: Lake, table: str, removed: Sequence[DataFile], added: Sequence[DataFile]
) -> Counter[str]:
    """The events of each log that the removed files of a table have and the added ones have not."""
    counted: Counter[str] = Counter()
    folder = lake.tables_folder.below(table)
    for file in removed:
        with suppress(OSError, pa.ArrowException):  # it is gone or damaged; nobody misses it now
            counted.update(count_sources(folder.place(file.path)))
    for file in added:
        counted.subtract(count_sources(folder.place(file.path)))
    return counted


def _table_info(snapshot: Snapshot, name: str) -> TableInfo:
    files = snapshot.data_files(name)
    lows = [f.low for f in files if f.low is not None]
    highs = [f.high for f in files if f.high is not None]
    return TableInfo(
        name=name,
        version=snapshot.commit.versions[name],
        rows=sum(f.rows for f in files),
        files=len(files),
        bytes=sum(f.size for f in files),
        earliest=min(lows) / 1_000_000 if lows else None,
        latest=max(highs) / 1_000_000 if highs else None,
    )
