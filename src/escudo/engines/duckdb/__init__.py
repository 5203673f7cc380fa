"""The embedded engine."""

from __future__ import annotations

from escudo.engines.duckdb.connection import connect, install
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine

__all__ = ["DuckDBEngine", "connect", "install"]
