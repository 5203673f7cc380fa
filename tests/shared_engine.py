"""One connection for all tests of a process: SPL's functions are put into it once."""

from __future__ import annotations

from functools import cache

import duckdb

from escudo.core.catalog import Catalog
from escudo.engines.duckdb import DuckDBEngine, connect


@cache
def open_connection() -> duckdb.DuckDBPyConnection:
    return connect(threads=1)


def engine_over(catalog: Catalog) -> DuckDBEngine:
    return DuckDBEngine(catalog, open_connection())
