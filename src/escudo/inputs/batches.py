"""Events that were committed together -> a catalog of them alone, which searches read; actions run
detections over it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.lake import Lake, Snapshot
from escudo.lake.delta import DataFile
from escudo.lake.ledger import Commit
from escudo.lake.tables import Tables
from escudo.storage import Storage


@dataclass(frozen=True)
class CommittedBatch:
    """The events of one commit, or of some that follow each other (``join``).

    It is a catalog (``core.catalog.Catalog``) of them and their rows in data models, and of nothing
    else. ``commits`` are the numbers of the commits, in order. ``begun`` is when the oldest of the
    events was read (epoch seconds).
    """

    folder: Storage
    tables: Tables
    commits: tuple[int, ...]
    added: Mapping[str, Sequence[DataFile]]
    begun: float = field(default_factory=time.time)

    @property
    def events(self) -> int:
        """How many events there are."""
        return sum(f.rows for t, files in self.added.items() if t.startswith("raw_") for f in files)

    def join(self, later: CommittedBatch) -> CommittedBatch:
        """This batch with one that was committed after it."""
        names = dict.fromkeys([*self.added, *later.added])
        return CommittedBatch(
            self.folder,
            self.tables,
            (*self.commits, *later.commits),
            {n: (*self.added.get(n, ()), *later.added.get(n, ())) for n in names},
            min(self.begun, later.begun),
        )

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self.tables.models.dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self.tables.models.datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return self.tables.raw

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        chosen = (
            f
            for f in self.added.get(table, ())
            if f.low is None
            or f.high is None
            or within.overlaps(f.low / 1_000_000, f.high / 1_000_000)
        )
        return tuple(self.folder.place(f"{table}/{f.path}") for f in chosen)


def list_batches(lake: Lake, *, kind: str, after: int) -> Iterator[CommittedBatch]:
    """The batches of a kind of commits after one, as they were: for who was away meanwhile.

    Those whose files are merged or gone by now (``lake compact`` a day later) are left out.
    """
    earlier = Snapshot(lake.tables_folder, lake.tables, Commit(0, 0.0, "empty", {}))
    for commit in lake.ledger.list_commits(after=max(0, after - 1)):
        state = Snapshot(lake.tables_folder, lake.tables, commit)
        known = earlier.commit.versions or not earlier.commit.id
        if commit.id > after and commit.kind == kind and commit.versions and known:
            added = state.list_added(earlier, state.tables())
            folder = lake.tables_folder
            yield CommittedBatch(folder, lake.tables, (commit.id,), added, commit.committed)
        earlier = state


def join_batches(batches: Iterable[CommittedBatch]) -> CommittedBatch | None:
    """Some batches as one; None of none."""
    joined: CommittedBatch | None = None
    for batch in batches:
        joined = batch if joined is None else joined.join(batch)
    return joined
