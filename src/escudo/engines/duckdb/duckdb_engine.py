"""Compiled searches and a catalog's Parquet files -> rows, by DuckDB; ``execute`` calls it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from importlib import import_module
from itertools import chain
from threading import current_thread, main_thread
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from escudo.core.catalog import Catalog
from escudo.core.schema import FieldType
from escudo.engines.duckdb.connection import Prelude, connect, find_kernel_users
from escudo.engines.duckdb.faults import explain_error
from escudo.engines.duckdb.little_tables import LittleTables
from escudo.engines.duckdb.memory import MemoryLimits
from escudo.engines.duckdb.needles import gather_needles, seek_any
from escudo.engines.execute import Written
from escudo.engines.scans import list_columns
from escudo.spl import Scan, alias, bound_nesting, column, identifier, table
from escudo.storage import find_scheme, hold_at_most, open_file

T = TypeVar("T")
DIALECT = DuckDB
"""The class, not its name. A name is looked up when the first search is written as SQL; of two that
are the first at once, one got the class half made, and other SQL than DuckDB's."""
EVERY_INDEX = "*"
_MARK = "\ufdd0"
"""Stands in text for a read of a table: a character that Unicode sets aside for such uses."""
_BATCH_ROWS = 16_384
"""Rows of a batch of a streamed result."""
_AT_ONCE = 4
"""Searches that run at once, at most: planning leaves the interpreter's lock (2026-11-26, 2 cores:
1,200 detections over a small lake in 70 % of the time)."""
_LITTLE = 64 << 20
"""Bytes of files whose rows are quickly copied (2026-11-29: 238 searches over 5,382 events took a
fifth less)."""
_LARGE = 16 << 20
"""Bytes of files whose rows it takes longer to group than to plan another read of them."""
_AT_REST: Mapping[FieldType | None, str] = {
    FieldType.STRING: "VARCHAR",
    FieldType.NUMBER: "DOUBLE",
    FieldType.INTEGER: "BIGINT",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.TIME: "TIMESTAMPTZ",
    FieldType.MULTIVALUE: "VARCHAR[]",
    None: "MAP(VARCHAR, VARCHAR)",
}


class DuckDBEngine:
    """The embedded engine: a connection and the catalog whose tables it reads. ``prelude`` is for a
    connection that was opened without macros.

    ``indexes`` are names, with ``*``, of the only indexes whose rows are read: of any table, for
    whatever part of a search. Every read of a table is written here, so none goes round it.
    ``limits`` lets a query have more memory than the connection, if it needs it.

    It is a ``Runner`` of the binder. Each run has a cursor of its own, so one engine may serve
    several threads.
    """

    name = "duckdb"

    def __init__(
        self,
        catalog: Catalog,
        connection: duckdb.DuckDBPyConnection | None = None,
        prelude: Prelude | None = None,
        *,
        indexes: Sequence[str] = (EVERY_INDEX,),
        limits: MemoryLimits | None = None,
    ) -> None:
        self.catalog = catalog
        self._limits = limits
        self._indexes = tuple(indexes)
        self.connection = connection if connection is not None else connect()
        self._prelude = prelude
        self._columns = lru_cache(maxsize=65_536)(_file_columns)
        self._little = LittleTables(self.connection)

    @property
    def memory(self) -> int:
        """The connection's memory limit, in bytes."""
        limit = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"
        (limit_bytes,) = self.connection.cursor().execute(limit).fetchone() or (0,)
        return int(limit_bytes)

    @property
    def at_once(self) -> int:
        """Half of a search's time over little data is its planning, by DuckDB in one thread; the
        other half compiles it and has the interpreter's lock."""
        return min(_AT_ONCE, os.cpu_count() or 1)

    def over(self, catalog: Catalog) -> DuckDBEngine:
        """The same engine over another catalog; what it knows of files stays known."""
        other = DuckDBEngine(
            catalog,
            self.connection,
            self._prelude,
            indexes=self._indexes,
            limits=self._limits,
        )
        other._columns = self._columns
        other._little = self._little
        return other

    def only(self, indexes: Sequence[str]) -> DuckDBEngine:
        """The same engine, which reads rows of some indexes alone."""
        other = self.over(self.catalog)
        other._indexes = tuple(indexes)
        return other

    def run(
        self,
        query: exp.Expression,
        scans: Sequence[Scan] = (),
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """The result of a query, with the query's SQL identifiers as column names."""
        return self._run(lambda: self.sql(query, scans), scans, tables or {})

    def _run(
        self, write: Callable[[], str], scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table:
        with self._ready(tables) as cursor:
            text = write()
            self._provide(text, cursor)
            # A relation is bound anew to be run. A statement is not, yet its rows are copied, and
            # it lets no signal through: those are the main thread's.
            beside = current_thread() is not main_thread()
            ask = cursor.execute if beside and self._read_at_most(_LITTLE, scans) else cursor.sql
            if self._limits is None:
                return _guard(lambda: ask(text).to_arrow_table())
            limits = self._limits
            return _guard(lambda: limits.run(lambda: ask(text).to_arrow_table()))

    def stream(
        self,
        query: exp.Expression,
        scans: Sequence[Scan] = (),
        tables: Mapping[str, pa.Table] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """The result batch by batch; memory stays bounded by the batches in flight."""
        with self._ready(tables or {}) as cursor:
            text = self._write(query, scans, cursor)
            # The reader is closed before the tables: a caller may stop in the middle.
            with _guard(lambda: cursor.sql(text).to_arrow_reader(_BATCH_ROWS)) as batches:
                while (batch := _guard(lambda: next(batches, None))) is not None:
                    yield batch

    def explain(
        self,
        query: exp.Expression,
        scans: Sequence[Scan] = (),
        tables: Mapping[str, pa.Table] | None = None,
        *,
        analyze: bool = False,
    ) -> str:
        """DuckDB's plan of a query; with ``analyze`` it is run, and the plan has its costs."""
        with self._ready(tables or {}) as cursor:
            verb = "EXPLAIN ANALYZE" if analyze else "EXPLAIN"
            text = f"{verb} {self._write(query, scans, cursor)}"
            rows = _guard(lambda: cursor.execute(text).fetchall())
            return "\n".join(str(row[-1]) for row in rows)

    @bound_nesting
    def sql(self, query: exp.Expression, scans: Sequence[Scan] = ()) -> str:
        """The query as DuckDB runs it: scans are reads of files."""
        by_name = {scan.name: scan for scan in scans}
        tree = query.copy()
        for node in list(tree.find_all(exp.Table)):
            if not node.db and node.name in by_name:
                node.replace(self._source(by_name[node.name], node.alias or node.name))
        return _write_sql(tree)

    def _write(
        self, query: exp.Expression, scans: Sequence[Scan], cursor: duckdb.DuckDBPyConnection
    ) -> str:
        """The query's SQL, of which the connection has all functions."""
        text = self.sql(query, scans)
        self._provide(text, cursor)
        return text

    def _provide(self, text: str, cursor: duckdb.DuckDBPyConnection) -> None:
        if self._prelude is not None:
            self._prelude.provide(text, cursor)

    @bound_nesting
    def write(self, query: exp.Expression, scans: Sequence[Scan]) -> Written | None:
        """The query as DuckDB's SQL, without its reads of files."""
        names = {scan.name for scan in scans}
        tree = query.copy()
        reads: list[tuple[str, str]] = []
        for node in list(tree.find_all(exp.Table)):
            if not node.db and node.name in names:
                mark = exp.Var(this=f"{_MARK}{len(reads)}{_MARK}")
                reads.append((node.name, node.alias or node.name))
                node.replace(mark)
        first, *others = _write_sql(tree).split(_MARK)
        numbers, texts = others[::2], others[1::2]
        if len(texts) != len(reads) or not all(n.isdecimal() for n in numbers):
            return None
        ordered = tuple(reads[int(n)] for n in numbers)
        return Written((first, *texts), ordered)

    def run_written(
        self, written: Written, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table:
        """The rows of a query that was written, over the catalog's files."""
        by_name = {scan.name: scan for scan in scans}

        def fill() -> str:
            sources = (
                self._source(by_name[scan], name).sql(dialect=DIALECT, copy=False)
                for scan, name in written.reads
            )
            first, *others = written.pieces
            return first + "".join(s + text for s, text in zip(sources, others, strict=True))

        return self._run(fill, scans, tables)

    def proves_late(self, scans: Sequence[Scan]) -> bool:
        return not self._read_at_most(_LARGE, scans)

    @property
    def slow_functions(self) -> frozenset[str]:
        """The kernels, and the macros that call them."""
        return find_kernel_users()

    @property
    def correlates(self) -> bool:
        return True

    def over_few_rows(self, catalog: Catalog) -> DuckDBEngine:
        return self.over(catalog)

    def suit(self, query: exp.Expression, scans: Sequence[Scan]) -> DuckDBEngine:
        return self

    @property
    def is_spread(self) -> bool:
        return False

    @property
    def seeks_many(self) -> bool:
        return True

    def seek(
        self, text: exp.Expression, parts: Sequence[str], wholes: Sequence[str]
    ) -> exp.Expression:
        return seek_any(text, parts, wholes)

    def fragment(self, expression: exp.Expression) -> str:
        """An expression in DuckDB's SQL."""
        return _write_sql(expression.copy())

    @contextmanager
    def _ready(self, tables: Mapping[str, pa.Table]) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that sees the Arrow tables by name."""
        cursor = self.connection.cursor()
        try:
            for name, table in tables.items():
                cursor.register(name, table)
            yield cursor
        finally:
            for name in tables:
                cursor.unregister(name)
            cursor.close()

    def _mount(self, paths: Sequence[str]) -> None:
        """Lets the connection read files that are elsewhere; fsspec is imported for these alone."""
        if paths and find_scheme(paths[0]) is not None:
            import_module("escudo.engines.duckdb.remote_files").provide(self.connection, paths)

    def _read_at_most(self, size: int, scans: Sequence[Scan]) -> bool:
        """Whether the files that scans read have so many bytes together at most."""
        files = (self.catalog.files(scan.schema.table, scan.within) for scan in scans)
        return hold_at_most(size, chain.from_iterable(files))

    def _source(self, scan: Scan, name: str) -> exp.Expression:
        """``(SELECT columns FROM read_parquet([...])) AS alias``; typed NULL where none has one."""
        wanted = list_columns(scan)
        paths = self.catalog.files(scan.schema.table, scan.within)
        self._mount(paths)
        held = [self._columns(path) for path in paths]
        present = frozenset().union(*held)
        columns: list[exp.Expression] = [
            column(ident) if ident in present else alias(_null(kind), ident)
            for ident, kind in wanted.items()
        ]
        query = exp.Select(expressions=columns or [alias(exp.null(), "nothing")])
        kept = self._little.find(paths, partial(_write_read, paths)) if paths else None
        if kept is not None:
            query.set("from_", exp.From(this=table(kept)))
        elif paths:
            everywhere = frozenset.intersection(*held)
            read = _read_parquet(paths, union=not present.intersection(wanted) <= everywhere)
            query.set("from_", exp.From(this=read))
        else:
            query.set("where", exp.Where(this=exp.false()))
        if EVERY_INDEX not in self._indexes and paths:
            there = "index" in present
            query.set(
                "where", exp.Where(this=_match_index(self._indexes) if there else exp.false())
            )
        return exp.Subquery(this=query, alias=exp.TableAlias(this=identifier(name)))


def _write_sql(tree: exp.Expression) -> str:
    """A tree as DuckDB's SQL; the tree is changed."""
    return gather_needles(tree).sql(dialect=DIALECT, copy=False)


def _match_index(patterns: Sequence[str]) -> exp.Expression:
    """Whether a row is of an index of some names with ``*``; a row without an index is of none."""
    texts = ["".join(".*" if c == "*" else _escape(c) for c in pattern) for pattern in patterns]
    if not texts:
        return exp.false()
    expression = exp.Literal.string(f"(?s:{'|'.join(texts)})")
    return exp.Anonymous(this="regexp_full_match", expressions=[column("index"), expression])


def _escape(character: str) -> str:
    """A character as RE2 reads it literally."""
    return character if character.isalnum() or character == "_" else f"\\x{{{ord(character):x}}}"


def _null(kind: FieldType | None) -> exp.Expression:
    return exp.Cast(this=exp.null(), to=exp.DataType.build(_AT_REST[kind], dialect=DIALECT))


def _read_parquet(paths: Sequence[str], *, union: bool) -> exp.Expression:
    files = exp.Array(expressions=[exp.Literal.string(p) for p in paths])
    options: list[exp.Expression] = [
        exp.EQ(this=exp.to_identifier("hive_partitioning"), expression=exp.false())
    ]
    if union:
        options.append(exp.EQ(this=exp.to_identifier("union_by_name"), expression=exp.true()))
    return exp.Anonymous(this="read_parquet", expressions=[files, *options])


def _write_read(paths: Sequence[str]) -> str:
    return _read_parquet(paths, union=True).sql(dialect=DIALECT)


def _file_columns(path: str) -> frozenset[str]:
    return _share(frozenset(pq.read_schema(open_file(path)).names))


@lru_cache(maxsize=1_024)
def _share(columns: frozenset[str]) -> frozenset[str]:
    """One set for all files that have the same columns: a server knows some 40,000 files an hour,
    and each set of its own takes 5 kB."""
    return columns


def _guard(action: Callable[[], T]) -> T:
    """DuckDB's errors as ours."""
    try:
        return action()
    except duckdb.Error as error:
        raise explain_error(error) from error
    except RuntimeError as error:
        if "interrupt" in str(error).lower():  # how a signal leaves a running query
            raise KeyboardInterrupt from error
        raise
