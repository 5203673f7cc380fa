"""The error codes of the engines, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "ENG001",
        "the engine could not run a query",
        "The message is the engine's own; the query is shown by `escudo explain`.",
    ),
    ErrorCode(
        "ENG002",
        "engine not available",
        "Spark needs the `spark` extra and Java 17; DuckDB is always there.",
    ),
    ErrorCode(
        "ENG003",
        "function not available on this engine",
        "docs/functions.md shows which engine has which function.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
"""Code -> its row."""
