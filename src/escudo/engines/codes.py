"""The error codes of the engines, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "ENG001",
        "the engine could not run a query",
        "`escudo explain` shows the query.",
    ),
    ErrorCode(
        "ENG002",
        "engine not available",
        "Spark needs the `spark` extra and Java 17; DuckDB is always there.",
    ),
    ErrorCode(
        "ENG004",
        "a data file cannot be read",
        "It is gone or damaged: `escudo lake verify` says what is, and what can be read in again.",
    ),
    ErrorCode(
        "ENG005",
        "the engine's memory does not suffice",
        "Give it more by --memory, or look at a shorter time range.",
    ),
    ErrorCode(
        "ENG006",
        "no room for temporary files",
        "Free the disk of temporary files, or point TMPDIR to another one.",
    ),
    ErrorCode(
        "ENG007",
        "a regular expression takes too long",
        "It backtracks without end: avoid repetitions inside repetitions, such as (a+)+.",
    ),
    ErrorCode(
        "ENG008",
        "a text would be too wide",
        "Ask printf for a smaller width or precision.",
    ),
    ErrorCode(
        "ENG003",
        "function not available on this engine",
        "docs/functions.md shows which engine has which function.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
"""Code -> its row."""
