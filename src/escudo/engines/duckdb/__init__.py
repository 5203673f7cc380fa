"""The embedded engine: a connection with SPL's functions, and what runs searches on it."""

from __future__ import annotations

from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine

__all__ = ["DuckDBEngine", "connect"]
