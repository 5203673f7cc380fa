"""Writing judgements into a lake: each row's risk and finding once, however often it is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.core.catalog import Catalog
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.findings.judging import Judgement, Schemas
from escudo.lake import Lake

_HASH = "event_hash"


@dataclass(frozen=True, slots=True)
class Written:
    """How many risk events and findings were new, and were written."""

    risk_events: int
    findings: int


def write(lake: Lake, judgements: Sequence[Judgement], schemas: Schemas) -> Written:
    """Add what is new to the lake's risk events and findings, in one commit.

    A row is known by its ``event_hash``: what an earlier run wrote for it stays as it is.
    """
    risk = _new(lake, schemas.risk, [j.risk_events for j in judgements])
    notable = _new(lake, schemas.notable, [j.findings for j in judgements])
    if risk or notable:
        with lake.writer() as writer:
            for schema, parts in ((schemas.risk, risk), (schemas.notable, notable)):
                for part in parts:
                    writer.append_rows(schema.table, part)
            writer.commit(kind="findings")
    return Written(sum(p.num_rows for p in risk), sum(p.num_rows for p in notable))


def _new(lake: Catalog, schema: TableSchema, parts: Sequence[pa.Table]) -> list[pa.Table]:
    filled = [p for p in parts if p.num_rows]
    if not filled:
        return []
    known = known_hashes(lake, schema)
    kept = [p.filter(pc.invert(pc.is_in(p[_HASH], known))) for p in filled]
    return [p for p in kept if p.num_rows]


def known_hashes(lake: Catalog, schema: TableSchema) -> pa.Array:
    """The ``event_hash`` of every row of a table."""
    files = lake.files(schema.table, ALL_TIME)
    columns = [pq.read_table(f, columns=[_HASH])[_HASH].combine_chunks() for f in files]
    return pc.unique(pa.chunked_array(columns, pa.string()))
