"""Judgements -> rows of a lake: each row's risk and finding once, however often it is found;
called by ``actions.hunt``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.findings.judging import Judgement, Schemas
from escudo.lake import Lake, Snapshot
from escudo.storage import open_file

_HASH = "event_hash"
_CHANGED_MEANWHILE = "LAK012"


@dataclass(frozen=True, slots=True)
class Written:
    """How many risk events and findings were new, and were written; ``hashes`` are their rows'."""

    risk_events: int
    findings: int
    hashes: frozenset[str] = field(default=frozenset(), compare=False)


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
    while True:
        seen = lake.snapshot()
        risk = _new(seen, schemas.risk, [j.risk_events for j in judgements], known)
        notable = _new(seen, schemas.notable, [j.findings for j in judgements], known)
        try:
            _append(lake, seen, {schemas.risk.table: risk, schemas.notable.table: notable})
        except EscudoError as error:
            if error.code != _CHANGED_MEANWHILE:
                raise
            continue
        return Written(
            sum(p.num_rows for p in risk),
            sum(p.num_rows for p in notable),
            frozenset(h for p in (*risk, *notable) for h in p[_HASH].to_pylist()),
        )


def _append(lake: Lake, seen: Snapshot, rows: Mapping[str, Sequence[pa.Table]]) -> None:
    """Commits rows that are not in the tables as they were seen."""
    if any(rows.values()):
        with lake.writer() as writer:
            for table, parts in rows.items():
                for part in parts:
                    writer.append_rows(table, part)
            writer.commit(kind="findings", since=seen)


def _new(
    lake: Catalog, schema: TableSchema, parts: Sequence[pa.Table], known: KnownHashes
) -> list[pa.Table]:
    filled = [p for p in parts if p.num_rows]
    if not filled:
        return []
    there = known.read(lake, schema)
    kept = [p.filter(pc.invert(pc.is_in(p[_HASH], there))) for p in filled]
    return [p for p in kept if p.num_rows]
