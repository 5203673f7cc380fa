"""The name of an engine -> a maker of engines of that kind; called by who makes a ``Workspace``."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

import duckdb

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.engine import DuckDBEngine
from escudo.engines.execute import Engine
from escudo.engines.spark.available import unavailable

ENGINES = ("duckdb", "spark")


class DuckDBEngines:
    """Makes embedded engines that share one connection, which is opened when it is needed.

    Args:
        memory_limit: what DuckDB may use (``"4GB"``).
    """

    def __init__(self, memory_limit: str | None = None) -> None:
        self._memory_limit = memory_limit

    def __call__(self, catalog: Catalog) -> Engine:
        return DuckDBEngine(catalog, self._connection)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return connect(memory_limit=self._memory_limit)


class SparkEngines:
    """Makes engines that share this process's Spark session, begun when it is needed.

    Raises:
        EscudoError: CLI007 where Spark cannot run here.
    """

    def __init__(self) -> None:
        reason = unavailable()
        if reason is not None:
            raise EscudoError("CLI007", reason)

    def __call__(self, catalog: Catalog) -> Engine:
        made: Engine = import_module("escudo.engines.spark.engine").SparkEngine(
            catalog, self._session
        )
        return made

    @cached_property
    def _session(self) -> Any:
        return import_module("escudo.engines.spark.session").local_session()


def make_engines(name: str, memory_limit: str | None = None) -> DuckDBEngines | SparkEngines:
    """The maker of engines of one of ``ENGINES``.

    Raises:
        EscudoError: CLI007 where Spark cannot run here.
    """
    return DuckDBEngines(memory_limit) if name == ENGINES[0] else SparkEngines()
