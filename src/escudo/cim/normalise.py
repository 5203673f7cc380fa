"""Raw events to rows of the data models, a batch at a time."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from escudo.cim.compile import Statement, compile_family
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


class _Batch:
    """The events that the statements of a family read; what it holds changes under them.

    A prepared statement goes on reading the object that it was prepared with.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.table: pa.Table = schema.empty_table()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


@dataclass
class _Constants:
    """The columns that a statement leaves out, as long as a batch has needed them so far."""

    statement: Statement
    size: int = 0
    arrays: dict[str, pa.Array] = field(default_factory=dict)

    def completed(self, rows: pa.Table) -> pa.Table:
        """The rows with these columns, in the table's order and types."""
        schema = self.statement.dataset.schema.arrow()
        size = rows.num_rows
        if size > self.size:
            self.size = size
            for name, value in self.statement.constants.items():
                column = schema.field(name)
                self.arrays[name] = pa.repeat(pa.scalar(value, column.type), size)
        columns: list[pa.Array | pa.ChunkedArray] = []
        for column in schema:
            if column.name in self.arrays:
                columns.append(self.arrays[column.name].slice(0, size))
            else:
                made = rows.column(column.name)
                columns.append(made if made.type == column.type else made.cast(column.type))
        return pa.Table.from_arrays(columns, schema=schema)


@dataclass(frozen=True)
class _Compiled:
    name: str
    batch: _Batch
    reads: tuple[str, ...]
    census: str
    statements: tuple[_Constants, ...]


class Normaliser:
    """Turns raw batches into rows of the data models, on a DuckDB connection with the prelude.

    The SQL of a source family is compiled at its first batch. A row keeps its event's ``_event_id``
    and other common columns. Not for several threads at once: give each its own connection.

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
        self._families: dict[str, _Compiled | None] = {}
        self._prepared: set[str] = set()
        self.counts = Counts()

    def normalise(self, batch: RawBatch) -> list[ModelBatch]:
        """The rows of every dataset that some of the batch's events belong to."""
        if batch.table.num_rows == 0:
            return []
        compiled = self._compiled(batch.family)
        self.counts.events += batch.table.num_rows
        if compiled is None:
            self.counts.raw_only += batch.table.num_rows
            return []
        compiled.batch.table = batch.table.select(compiled.reads)
        try:
            return list(self._rows(compiled))
        finally:
            compiled.batch.table = compiled.batch.table.slice(0, 0)

    def reads(self, family: str) -> Sequence[str]:
        """The columns of a family's raw table that its rows are made of; a batch needs no others.

        There are none if no data model takes its events.

        >>> from escudo.engines.duckdb import connect
        >>> "_raw" in Normaliser(connect()).reads("sysmon")
        False
        """
        compiled = self._compiled(family)
        return () if compiled is None else compiled.reads

    def _compiled(self, family: str) -> _Compiled | None:
        if family not in self._families:
            self._families[family] = self._compile(family)
        return self._families[family]

    def _rows(self, compiled: _Compiled) -> Iterator[ModelBatch]:
        census = self._execute(f"{compiled.name}_census", compiled.census)
        raw_only, *taken = census.fetchall()[0]
        self.counts.raw_only += raw_only
        for constants, events in zip(compiled.statements, taken, strict=True):
            if not events:
                continue
            dataset = constants.statement.dataset
            name = f"{compiled.name}_{dataset.schema.table}"
            rows = _as_arrow(self._execute(name, constants.statement.sql))
            self.counts.rows[f"{dataset.model}.{dataset.name}"] += rows.num_rows
            if rows.num_rows:
                yield ModelBatch(dataset.schema.table, constants.completed(rows))

    def _execute(self, name: str, sql: str) -> duckdb.DuckDBPyConnection:
        """Executes a statement, which is prepared when it is first needed: that takes long."""
        if name not in self._prepared:
            self._connection.execute(f"PREPARE {name} AS {sql}")
            self._prepared.add(name)
        return self._connection.execute(f"EXECUTE {name}")

    def _compile(self, name: str) -> _Compiled | None:
        family = families()[name]
        entries = mappings(family, self._models)
        if not entries:
            return None
        table = f"cim_{name}"
        program = compile_family(family, entries, table)
        sql = "".join([program.census, *(s.sql for s in program.statements)])
        reads = [f.name for f in family.arrow if f'"{f.name}"' in sql]
        batch = _Batch(pa.schema([family.arrow.field(name) for name in reads]))
        self._connection.register(table, batch)
        statements = tuple(map(_Constants, program.statements))
        return _Compiled(table, batch, tuple(reads), program.census, statements)


def _as_arrow(result: duckdb.DuckDBPyConnection) -> pa.Table:
    """The rows of a prepared statement.

    DuckDB advises against this way, for a copy that ``sql`` spares. It spares none where a
    statement is prepared, but makes one more.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
        return result.to_arrow_table()
