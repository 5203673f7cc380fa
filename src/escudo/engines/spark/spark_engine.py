"""Compiled searches and a catalog's Parquet files -> rows, by Spark; ``execute`` calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from sqlglot import exp

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.engines.execute import Engine
from escudo.engines.kernels import KERNELS
from escudo.engines.scans import list_columns
from escudo.engines.spark.macros import DIALECT, expand
from escudo.engines.spark.session import open_session
from escudo.spl import Scan, bound_nesting

T = TypeVar("T")
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

    def __init__(self, catalog: Catalog, session: SparkSession | None = None) -> None:
        self.catalog = catalog
        self.session = session if session is not None else open_session()
        self._views = count(1)

    def over(self, catalog: Catalog) -> SparkEngine:
        """The same engine over another catalog."""
        return SparkEngine(catalog, self.session)

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
            frames: list[tuple[str, DataFrame]] = [
                *((scan.name, self._frame(scan)) for scan in scans),
                *((name, self.session.createDataFrame(t)) for name, t in tables.items()),
            ]
            for name, frame in frames:
                views[name] = f"escudo_{id(self)}_{next(self._views)}"
                frame.createOrReplaceTempView(views[name])
            yield views
        finally:
            for view in views.values():
                self.session.catalog.dropTempView(view)

    def _frame(self, scan: Scan) -> DataFrame:
        """The columns of a scan; NULL where a file has none of that name."""
        wanted = list_columns(scan)
        paths = self.catalog.files(scan.schema.table, scan.within)
        ddl = ", ".join(f"`{name}` {_SQL_TYPES[kind]}" for name, kind in wanted.items())
        if not paths:
            return self.session.createDataFrame([], ddl or "nothing string")
        return self.session.read.schema(ddl or "nothing string").parquet(*paths)


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
    except PySparkException as error:
        message = str(error).split("JVM stacktrace", 1)[0].strip()
        raise EscudoError("ENG001", f"Spark: {message[:2000]}") from error
