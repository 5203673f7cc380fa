"""Compiled searches and a catalog's Parquet files -> rows, by Spark; ``execute`` calls it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain, count
from typing import TypeVar

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import broadcast
from pyspark.sql.pandas.types import from_arrow_schema
from sqlglot import exp

from escudo.core.catalog import Catalog, VersionedCatalog
from escudo.core.errors import EscudoError
from escudo.core.event_log import log_event
from escudo.core.schema import FieldType
from escudo.engines.execute import Engine
from escudo.engines.kernels import KERNELS
from escudo.engines.reads import count_read_bytes
from escudo.engines.scans import list_columns
from escudo.engines.spark.delta_reader import DeltaReader, name_for_hadoop, quote
from escudo.engines.spark.grouping import work_on_groups
from escudo.engines.spark.macros import DIALECT, expand
from escudo.engines.spark.session import (
    SPARK_ERRORS,
    count_cores,
    explain_error,
    is_remote,
    open_session,
)
from escudo.spl import GroupWork, Scan, bound_nesting
from escudo.spl.compile import Compiled

T = TypeVar("T")
_AT_ONCE = 4
"""Searches that run at once, at most: their driver plans one while others compute."""
_BROADCAST_BYTES = 64 << 20
"""Bytes of a lookup that every worker gets; Spark by itself sends 10 MB."""
_TOO_MUCH = ("maxResultSize", "RESULT_SIZE_LIMIT", "RESULT_SIZE_EXCEEDED")
"""What Spark's messages name where a result is larger than its driver may hold."""
_NO_FILE_SYSTEM = re.compile(
    r"No FileSystem for scheme \"?(\w+)|org\.apache\.hadoop\.fs\.(s3a)\.\w+ not found"
)
_REST = "_fields"
"""The column of a data frame with the fields of events that have none of their own."""
_SQL_TYPES: Mapping[FieldType | None, str] = {
    FieldType.STRING: "string",
    FieldType.NUMBER: "double",
    FieldType.INTEGER: "bigint",
    FieldType.BOOLEAN: "boolean",
    FieldType.TIME: "timestamp",
    FieldType.MULTIVALUE: "array<string>",
    None: "map<string,string>",
}

_LITERAL_FUNCTIONS = frozenset(
    {"user", "current_user", "session_user", "current_date", "current_time", "current_timestamp"}
    | {"current_catalog", "current_database", "current_schema", "localtimestamp", "grouping__id"}
)
"""Names that Spark takes for functions where the output of a SELECT has no such column, even in
quotes and although ORDER BY may name the columns below it."""


class SparkEngine(Engine):
    """A Spark session and the catalog whose tables it reads; a ``Runner`` of the binder."""

    name = "spark"

    def __init__(
        self,
        catalog: Catalog,
        session: SparkSession | Callable[[], SparkSession] | None = None,
        delta: DeltaReader | Callable[[], DeltaReader] | None = None,
        *,
        few_rows: Callable[[Catalog], Engine] | None = None,
        most_here: int = 0,
    ) -> None:
        """``session``, and ``delta``, which is what an engine before this one knows of it, may be
        made when they are needed. ``few_rows`` makes engines of this process for searches that are
        not worth a job of Spark's; ``most_here`` is how many bytes of columns these may read at
        most where nobody says that rows are few."""
        self.catalog = catalog
        self._few_rows = few_rows
        self._most_here = most_here
        # Nothing here refers to the engine itself: the session would be closed when Python ends,
        # and not with the last engine, and Spark Connect waits for ever then.
        self._given = open_session if session is None else session
        self._given_delta = delta
        self._views = count(1)

    @cached_property
    def session(self) -> SparkSession:
        """The session, opened now if it is not."""
        return self._given() if callable(self._given) else self._given

    @cached_property
    def _delta(self) -> DeltaReader:
        given = self._given_delta
        return given() if callable(given) else given or DeltaReader(self.session)

    @property
    def at_once(self) -> int:
        """A search over little data is one task, and its driver's planning."""
        if is_remote(self.session):
            return _AT_ONCE
        return min(_AT_ONCE, int(self.session.sparkContext.defaultParallelism))

    def over(self, catalog: Catalog) -> SparkEngine:
        """The same engine over another catalog."""
        return SparkEngine(
            catalog,
            lambda: self.session,
            lambda: self._delta,
            few_rows=self._few_rows,
            most_here=self._most_here,
        )

    def over_few_rows(self, catalog: Catalog) -> Engine | None:
        """To plan a search takes Spark's driver longer than a few rows take an engine beside it."""
        return None if self._few_rows is None else self._few_rows(catalog)

    def suit(self, query: exp.Expression, scans: Sequence[Scan]) -> Engine:
        """What one machine reads in a second is not worth a job on others."""
        if self._few_rows is None or self._most_here <= 0:
            return self
        try:
            read = count_read_bytes(query, scans, self.catalog, self._most_here)
        except (OSError, pa.ArrowException):  # to run the search says what is wrong
            return self
        if read > self._most_here:
            return self
        here = self._few_rows(self.catalog)
        log_event("engine", name=here.name, instead_of=self.name, bytes=read)
        return here

    @property
    def is_spread(self) -> bool:
        return True

    def frame(self, compiled: Compiled) -> DataFrame:
        """The rows of a compiled search as a data frame of Spark, which has computed none of them;
        fields that only the events' rest maps hold are in a column ``_fields``.

        It reads views of the engine's session, which stay for as long as that does.
        """
        views = _guard(lambda: self._make_views(compiled.scans, compiled.tables))
        columns = [(name, ident) for name, ident, _ in compiled.output]
        if compiled.rest is not None:
            columns.append((_REST, compiled.rest))
        return _guard(lambda: self._select(compiled.query, views, columns))

    def _select(
        self,
        query: exp.Expression,
        views: Mapping[str, str],
        columns: Sequence[tuple[str, str]],
    ) -> DataFrame:
        rows = self.session.sql(self.sql(query, views=views))
        return rows.select(*(rows[quote(ident)].alias(name) for name, ident in columns))

    def run(
        self,
        query: exp.Expression,
        scans: Sequence[Scan] = (),
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """The result of a query, with the query's SQL identifiers as column names."""
        with self._ready(scans, tables or {}) as views:
            text = self.sql(query, views=views)
            return _guard(lambda: self.session.sql(text).toArrow())

    @property
    def works_on_groups(self) -> bool:
        return True

    def run_grouped(
        self,
        query: exp.Expression,
        scans: Sequence[Scan],
        tables: Mapping[str, pa.Table],
        work: GroupWork,
    ) -> pa.Table:
        """What work on the groups of a query's rows gives, which stay on the workers."""
        with self._ready(scans, tables) as views:
            text = self.sql(query, views=views)
            cores = count_cores(self.session)
            return _guard(lambda: work_on_groups(self.session.sql(text), work, cores))

    def explain(
        self,
        query: exp.Expression,
        scans: Sequence[Scan] = (),
        tables: Mapping[str, pa.Table] | None = None,
        *,
        analyze: bool = False,
    ) -> str:
        """Spark's plan of a query; with ``analyze`` with the optimizer's estimates of its costs."""
        with self._ready(scans, tables or {}) as views:
            kind = "COST" if analyze else "FORMATTED"
            text = f"EXPLAIN {kind} {self.sql(query, views=views)}"
            return _guard(lambda: str(self.session.sql(text).collect()[0][0]))

    @bound_nesting
    def sql(
        self,
        query: exp.Expression,
        scans: Sequence[Scan] = (),
        *,
        views: Mapping[str, str] | None = None,
    ) -> str:
        """The query as Spark runs it, over views: ``views`` maps the names of scans and tables to
        theirs (each stands for itself where it is not in there)."""
        names = views or {}

        def resolve(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Table) and not node.db and node.name in names:
                alias = node.args.get("alias") or exp.TableAlias(
                    this=exp.to_identifier(node.name, quoted=True)
                )
                view = exp.to_identifier(names[node.name], quoted=True)
                return exp.Table(this=view, alias=alias)
            if isinstance(node, exp.Select):
                _qualify_order(node)
            return node

        return expand(query).transform(resolve).sql(dialect=DIALECT)

    @property
    def slow_functions(self) -> frozenset[str]:
        """The kernels."""
        return frozenset(kernel.name.lower() for kernel in KERNELS)

    def fragment(self, expression: exp.Expression) -> str:
        """An expression in Spark's SQL."""
        return expand(expression).sql(dialect=DIALECT)

    @contextmanager
    def _ready(
        self, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> Iterator[Mapping[str, str]]:
        """Temporary views for the scans and the Arrow tables: name -> view."""
        views: dict[str, str] = {}
        try:
            _guard(lambda: self._make_views(scans, tables, views))
            yield views
        finally:
            for view in views.values():
                self.session.catalog.dropTempView(view)

    def _make_views(
        self,
        scans: Sequence[Scan],
        tables: Mapping[str, pa.Table],
        views: dict[str, str] | None = None,
    ) -> Mapping[str, str]:
        """Makes the views, each of which is in ``views`` as soon as it is there."""
        views = {} if views is None else views
        frames: Iterator[tuple[str, DataFrame]] = chain(
            ((scan.name, self._frame(scan)) for scan in scans),
            ((name, self._send(table)) for name, table in tables.items()),
        )
        for name, frame in frames:
            view = f"escudo_{id(self)}_{next(self._views)}"
            frame.createOrReplaceTempView(view)
            views[name] = view
        return views

    def _send(self, table: pa.Table) -> DataFrame:
        """A table of the driver; every worker gets a small one, so that a join with it moves no
        events."""
        if not table.num_rows:  # of none, clients before 4.3 do not take the types
            return self.session.createDataFrame([], from_arrow_schema(table.schema))
        frame = self.session.createDataFrame(table)
        return broadcast(frame) if table.nbytes <= _BROADCAST_BYTES else frame

    def _frame(self, scan: Scan) -> DataFrame:
        """The columns of a scan; NULL where a file has none of that name."""
        wanted = list_columns(scan)
        paths = self.catalog.files(scan.schema.table, scan.within)
        kinds = {name: _SQL_TYPES[kind] for name, kind in wanted.items()}
        ddl = ", ".join(f"{quote(name)} {kind}" for name, kind in kinds.items())
        if not paths:
            return self.session.createDataFrame([], ddl or "nothing string")
        if isinstance(self.catalog, VersionedCatalog):
            version = self.catalog.version(scan.schema.table)
            frame = None if version is None else self._delta.read(version, kinds)
            if frame is not None:
                return frame
        reader = self.session.read.schema(ddl or "nothing string")
        return reader.parquet(*map(name_for_hadoop, paths))


def _qualify_order(query: exp.Select) -> None:
    """Name the source of ORDER BY's columns that Spark would take for functions."""
    order, source = query.args.get("order"), query.args.get("from_")
    if order is None or source is None or not source.this.alias:
        return
    for column in order.find_all(exp.Column):
        if not column.table and column.name.lower() in _LITERAL_FUNCTIONS:
            column.set("table", exp.to_identifier(source.this.alias, quoted=True))


def _guard(action: Callable[[], T]) -> T:
    """Spark's errors as ours."""
    try:
        return action()
    except SPARK_ERRORS as error:
        text = str(error)
        if any(name in text for name in _TOO_MUCH):
            raise EscudoError("ENG013", "Spark: the rows are more than the driver takes") from error
        missing = _NO_FILE_SYSTEM.search(text)
        if missing is not None:
            scheme = missing[1] or missing[2]
            raise EscudoError("ENG014", f"this Spark cannot read {scheme}:// files") from error
        raise EscudoError("ENG001", f"Spark: {explain_error(error)}") from error
