"""Judgements -> rows of a lake: each row's risk and finding once, however often it is found;
called by ``actions.hunt``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.detect.running import ROWS_AT_ONCE
from escudo.findings.judging import Judgement, Schemas
from escudo.lake import Lake, Snapshot
from escudo.storage import open_file

_HASH = "event_hash"
_CHANGED_MEANWHILE = "LAK012"


@dataclass(frozen=True, slots=True)
class Written:
    """How many risk events and findings were new, and were written."""

    risk_events: int
    findings: int
    parts: tuple[pa.ChunkedArray, ...] = field(default=(), compare=False, repr=False)
    """The hashes of their rows."""

    @property
    def hashes(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(part.to_pylist() for part in self.parts))


@dataclass
class KnownHashes:
    """The hashes of files that were read: a lake's files never change. Who writes again and again
    keeps one, and only files that are new are read."""

    by_file: dict[str, pa.Array] = field(default_factory=dict)

    def read(self, lake: Catalog, schema: TableSchema) -> pa.Array:
        """The ``event_hash`` of every row of a table, each once."""
        files = lake.files(schema.table, ALL_TIME)
        parts = []
        for file in files:
            if file not in self.by_file:
                read = pq.read_table(open_file(file), columns=[_HASH])[_HASH].combine_chunks()
                self.by_file[file] = pc.unique(read)
            parts.append(self.by_file[file])
        gone = {f for f in self.by_file if f not in files and f"/{schema.table}/" in f}
        for file in gone:
            del self.by_file[file]
        return pc.unique(pa.chunked_array(parts, pa.string()))


def write_judgements(
    lake: Lake,
    judgements: Sequence[Judgement],
    schemas: Schemas,
    known: KnownHashes | None = None,
) -> Written:
    """Add what is new to the lake's risk events and findings, in one commit.

    A row is known by its ``event_hash``: what an earlier run wrote for it stays as it is, also
    when that run is another process that writes at the same time. ``known`` is what the caller has
    kept of the lake's hashes.
    """
    known = known or KnownHashes()
    rows = {
        schemas.risk.table: [j.risk_events for j in judgements if j.risk_events.num_rows],
        schemas.notable.table: [j.findings for j in judgements if j.findings.num_rows],
    }
    if not any(rows.values()):
        return Written(0, 0)
    while True:
        seen = lake.snapshot()
        risk = _new(seen, schemas.risk, rows[schemas.risk.table], known)
        notable = _new(seen, schemas.notable, rows[schemas.notable.table], known)
        try:
            added = _append(lake, seen, {schemas.risk.table: risk, schemas.notable.table: notable})
        except EscudoError as error:
            if error.code != _CHANGED_MEANWHILE:
                raise
            continue
        counts = {table: sum(map(len, hashes)) for table, hashes in added.items()}
        return Written(
            counts[schemas.risk.table],
            counts[schemas.notable.table],
            tuple(chain.from_iterable(added.values())),
        )


def _append(
    lake: Lake, seen: Snapshot, rows: Mapping[str, Iterable[pa.Table]]
) -> dict[str, list[pa.ChunkedArray]]:
    """Commits rows that are not in the tables as they were seen; gives their hashes."""
    added: dict[str, list[pa.ChunkedArray]] = {table: [] for table in rows}
    with lake.writer() as writer:
        for table, parts in rows.items():
            for part in parts:
                writer.append_rows(table, part)
                added[table].append(part[_HASH])
        if any(added.values()):
            writer.commit(kind="findings", since=seen)
    return added


def _new(
    lake: Catalog, schema: TableSchema, parts: Sequence[pa.Table], known: KnownHashes
) -> Iterator[pa.Table]:
    """What of some rows is not in a table, some thousands after the others."""
    if not parts:
        return
    there = known.read(lake, schema)
    for part in chain.from_iterable(map(_cut, parts)):
        fresh = pc.invert(pc.is_in(part[_HASH], there))
        if pc.all(fresh).as_py():
            yield part
        elif pc.any(fresh).as_py():
            yield part.filter(fresh)


def _cut(rows: pa.Table) -> Iterator[pa.Table]:
    return (rows.slice(start, ROWS_AT_ONCE) for start in range(0, rows.num_rows, ROWS_AT_ONCE))
