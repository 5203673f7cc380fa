"""Raw batches -> rows of the data models, a batch at a time; ``lake`` calls it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.cim.compile import ROW, Statement, compile_family
from escudo.cim.mapping import read_mappings
from escudo.cim.model_batch import ModelBatch
from escudo.cim.models import Models, load
from escudo.core.schema import COMMON_COLUMNS
from escudo.engines.duckdb.connection import Prelude
from escudo.sources import Family
from escudo.sources.raw_batch import RawBatch

_COMMON = frozenset(c.name for c in COMMON_COLUMNS)


@dataclass
class Counts:
    """What became of the events: ``rows`` by ``Model.Dataset``, and those kept raw only."""

    events: int = 0
    raw_only: int = 0
    rows: Counter[str] = field(default_factory=Counter)


class _Batch:
    """The events that a statement reads; what it holds changes under the statement.

    A prepared statement goes on reading the object that it was prepared with.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.table: pa.Table = schema.empty_table()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


@dataclass
class _Query:
    """A statement over the columns of a batch that it reads, prepared when it is first needed.

    DuckDB copies every column of what it scans, and every row of what it gives; so a query sees
    no other columns, and no rows that are easily left out before.
    """

    connection: duckdb.DuckDBPyConnection
    name: str
    sql: str
    reads: tuple[str, ...]
    batch: _Batch
    prelude: Prelude | None
    prepared: bool = False

    @classmethod
    def over(
        cls,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        sql: str,
        *,
        schema: pa.Schema,
        prelude: Prelude | None,
    ) -> _Query:
        reads = [f for f in schema if f'"{f.name}"' in sql]
        batch = _Batch(pa.schema([*reads, pa.field(ROW, pa.int64())]))
        connection.register(name, batch)
        return cls(connection, name, sql, tuple(f.name for f in reads), batch, prelude)

    def rows(self, events: pa.Table) -> pa.Table:
        """What the statement makes of some events; DuckDB may change their order.

        DuckDB advises against this way, for a copy that ``sql`` spares. It spares none where a
        statement is prepared, but makes one more. (``startup`` silences the warning.)
        """
        if not self.prepared:
            if self.prelude is not None:
                self.prelude.provide(self.sql, self.connection)
            self.connection.execute(f"PREPARE run_{self.name} AS {self.sql}")
            self.prepared = True
        numbers = pa.array(np.arange(events.num_rows))
        self.batch.table = events.select(self.reads).append_column(ROW, numbers)
        try:
            result = self.connection.execute(f"EXECUTE run_{self.name}")
            return result.to_arrow_table()
        finally:
            self.batch.table = self.batch.table.slice(0, 0)


@dataclass
class _Dataset:
    """How the rows of a dataset are made: by a query, from the events themselves, or constant."""

    statement: Statement
    query: _Query
    size: int = 0
    constants: dict[str, pa.Array] = field(default_factory=dict)

    @property
    def reads(self) -> set[str]:
        return {*self.query.reads, *(c.column for c in self.statement.copies.values()), *_COMMON}

    def rows(self, events: pa.Table, taken: npt.NDArray[np.bool_]) -> pa.Table:
        """The rows that some of the events give, with all columns of the dataset's table."""
        if 2 * np.count_nonzero(taken) < len(taken):
            events = events.select([n for n in events.column_names if n in self.reads])
            events, taken = events.filter(pa.array(taken)), taken[taken]
        schema = self.statement.dataset.schema.arrow()
        made = self.query.rows(events)
        if not made.num_rows:
            return schema.empty_table()
        origin = _Origin(events, made[ROW].to_numpy(), taken)
        self._grow(schema, made.num_rows)
        columns: list[pa.Array | pa.ChunkedArray] = []
        for column in schema:
            copied = self.statement.copies.get(column.name)
            if column.name in self.constants:
                columns.append(self.constants[column.name].slice(0, made.num_rows))
            elif column.name in _COMMON:
                columns.append(origin.column(column.name))
            elif copied is not None:
                columns.append(_filled(origin.column(copied.column), copied.default))
            else:
                values = made[column.name]
                columns.append(values if values.type == column.type else values.cast(column.type))
        return pa.Table.from_arrays(columns, schema=schema)

    def _grow(self, schema: pa.Schema, size: int) -> None:
        """Constant columns are as long as a batch has needed them so far."""
        if size > self.size:
            self.size = size
            for name, value in self.statement.constants.items():
                self.constants[name] = pa.repeat(pa.scalar(value, schema.field(name).type), size)


class _Origin:
    """The columns of the events that rows are made of, in the order of the rows."""

    def __init__(
        self, events: pa.Table, rows: npt.NDArray[np.int64], taken: npt.NDArray[np.bool_]
    ) -> None:
        self._events = events
        self._all = len(rows) == events.num_rows and _ascending(rows)
        self._mask = None
        if not self._all and np.array_equal(rows, np.flatnonzero(taken)):
            self._mask = pa.array(taken)
        self._rows = pa.array(rows)

    def column(self, name: str) -> pa.ChunkedArray | pa.Array:
        values = self._events[name]
        if self._all:
            return values
        if self._mask is not None:
            return values.filter(self._mask)
        return values.combine_chunks().take(self._rows)


def _ascending(rows: npt.NDArray[np.int64]) -> bool:
    return bool(np.all(rows[1:] > rows[:-1]))


def _filled(values: pa.ChunkedArray | pa.Array, default: str | None) -> pa.ChunkedArray | pa.Array:
    """Text as it is, but that empty text is no value, and no value the default."""
    empty = pc.equal(values, "")
    if pc.any(empty).as_py():
        values = pc.if_else(empty, pa.scalar(None, pa.string()), values)
    return values if default is None or not values.null_count else pc.fill_null(values, default)


@dataclass(frozen=True)
class _Compiled:
    reads: tuple[str, ...]
    census: _Query
    datasets: tuple[_Dataset, ...]


class Normaliser:
    """Turns raw batches into rows of the data models, on a DuckDB connection with the prelude.

    The SQL of a source family is compiled at its first batch. A row keeps its event's ``_event_id``
    and other common columns. Not for several threads at once: give each its own connection.

    >>> from escudo.engines.duckdb import connect
    >>> from escudo.sources import load_families
    >>> sysmon = load_families()["sysmon"]
    >>> event = {"EventID": "1", "Image": "C:\\\\Windows\\\\cmd.exe", "Computer": "pc1"}
    >>> raw = pa.Table.from_pylist([event], schema=sysmon.arrow)
    >>> normaliser = Normaliser(connect())
    >>> [batch] = normaliser.normalise(RawBatch(sysmon, raw))
    >>> batch.table, batch.data["process_name"].to_pylist(), batch.data["user"].to_pylist()
    ('endpoint_processes', ['cmd.exe'], ['unknown'])
    >>> dict(normaliser.counts.rows), normaliser.counts.raw_only
    ({'Endpoint.Processes': 1}, 0)
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        models: Models | None = None,
        prelude: Prelude | None = None,
    ) -> None:
        self._connection = connection
        self._prelude = prelude
        self._models = models or load()
        self._families: dict[str, _Compiled | None] = {}
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
        return list(self._rows(compiled, batch.table))

    def reads(self, family: Family) -> Sequence[str]:
        """The columns of a family's raw table that its rows are made of; a batch needs no others.

        There are none if no data model takes its events.

        >>> from escudo.engines.duckdb import connect
        >>> from escudo.sources import load_families
        >>> "_raw" in Normaliser(connect()).reads(load_families()["sysmon"])
        False
        """
        compiled = self._compiled(family)
        return () if compiled is None else compiled.reads

    def _compiled(self, family: Family) -> _Compiled | None:
        if family.name not in self._families:
            self._families[family.name] = self._compile(family)
        return self._families[family.name]

    def _rows(self, compiled: _Compiled, events: pa.Table) -> Iterator[ModelBatch]:
        numbers, *census = (c.to_numpy() for c in compiled.census.rows(events).columns)
        self.counts.raw_only += int(np.count_nonzero(~np.logical_or.reduce(census)))
        for dataset, counted in zip(compiled.datasets, census, strict=True):
            if not counted.any():
                continue
            taken = np.empty(len(counted), bool)
            taken[numbers] = counted
            rows = dataset.rows(events, taken)
            made = dataset.statement.dataset
            if self._models.lists is not None and rows.num_rows:
                rows = self._models.lists.fill(made, rows)
            self.counts.rows[f"{made.model}.{made.name}"] += rows.num_rows
            if rows.num_rows:
                yield ModelBatch(made.schema.table, rows)

    def _compile(self, family: Family) -> _Compiled | None:
        entries = read_mappings(family, self._models)
        if not entries:
            return None
        table = f"cim_{family.name}"
        program = compile_family(family, entries, table)

        def query(table: str, sql: str) -> _Query:
            return _Query.over(
                self._connection, table, sql, schema=family.arrow, prelude=self._prelude
            )

        census = query(table, program.census)
        datasets = tuple(
            _Dataset(s, query(f"{table}_{s.dataset.schema.table}", s.sql))
            for s in program.statements
        )
        reads = set(census.reads).union(*(d.reads for d in datasets))
        return _Compiled(tuple(f.name for f in family.arrow if f.name in reads), census, datasets)
