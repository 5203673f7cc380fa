"""Raw events to rows of the data models, a batch at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from escudo.cim.compile import BATCH, Statement, statements, unmapped_count
from escudo.cim.mapping import mappings
from escudo.cim.models import Models, load
from escudo.sources import families
from escudo.sources.assemble import RawBatch


@dataclass(frozen=True, slots=True)
class ModelBatch:
    """Rows of one dataset's table; ``data`` has the schema ``Dataset.schema.arrow()``."""

    table: str
    data: pa.Table


@dataclass
class Counts:
    """What became of the events: ``rows`` by ``Model.Dataset``, and those kept raw only."""

    events: int = 0
    raw_only: int = 0
    rows: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Plan:
    statements: tuple[Statement, ...]
    unmapped: str | None


class Normaliser:
    """Turns raw batches into rows of the data models, on a DuckDB connection with the prelude.

    The SQL of a source family is compiled at its first batch. A row keeps its event's ``_event_id``
    and other common columns; rows lie in the order of the dataset's clustering. Not for several
    threads at once: give each its own connection.

    >>> from escudo.engines.duckdb import connect
    >>> from escudo.sources import families
    >>> event = {"EventID": "1", "Image": "C:\\\\Windows\\\\cmd.exe", "Computer": "pc1"}
    >>> raw = pa.Table.from_pylist([event], schema=families()["sysmon"].schema.arrow())
    >>> normaliser = Normaliser(connect())
    >>> [batch] = normaliser.normalise(RawBatch("sysmon", raw))
    >>> batch.table, batch.data["process_name"].to_pylist(), batch.data["user"].to_pylist()
    ('endpoint_processes', ['cmd.exe'], ['unknown'])
    >>> dict(normaliser.counts.rows), normaliser.counts.raw_only
    ({'Endpoint.Processes': 1}, 0)
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, models: Models | None = None) -> None:
        self._connection = connection
        self._models = models or load()
        self._plans: dict[str, _Plan] = {}
        self.counts = Counts()

    def normalise(self, batch: RawBatch) -> list[ModelBatch]:
        """The rows of every dataset that some of the batch's events belong to."""
        plan = self._plan(batch.family)
        self.counts.events += batch.table.num_rows
        if plan.unmapped is None:
            self.counts.raw_only += batch.table.num_rows
            return []
        out: list[ModelBatch] = []
        self._connection.register(BATCH, batch.table)
        try:
            for statement in plan.statements:
                rows = self._connection.sql(statement.sql).to_arrow_table()
                if rows.num_rows:
                    dataset = statement.dataset
                    self.counts.rows[f"{dataset.model}.{dataset.name}"] += rows.num_rows
                    schema = dataset.schema.arrow()
                    data = rows.select(schema.names).cast(schema)
                    out.append(ModelBatch(dataset.schema.table, data))
            [left] = self._connection.sql(plan.unmapped).fetchall()[0]
            self.counts.raw_only += left
        finally:
            self._connection.unregister(BATCH)
        return out

    def _plan(self, name: str) -> _Plan:
        if name not in self._plans:
            family = families()[name]
            entries = mappings(family, self._models)
            unmapped = unmapped_count(family, entries) if entries else None
            self._plans[name] = _Plan(tuple(statements(family, entries)), unmapped)
        return self._plans[name]
