"""JSON logs of clouds and networks: the bare reading of DuckDB, beside ``escudo ingest``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb

KINDS = ("cloudtrail", "entra", "o365", "suricata")
_LARGEST = 1 << 25
"""Bytes of the largest event."""


def duckdb_read(_folder: Path, *, source: str, columns: Mapping[str, str] | None = None) -> int:
    """DuckDB ``read_json`` to an Arrow table.

    It is told the ``columns`` and their types, or finds them out from the whole file: keys that it
    does not meet while it does are left out without a word.
    """
    with duckdb.connect() as connection:
        return connection.sql(_query(source, columns)).to_arrow_table().num_rows


def find_columns(source: Path) -> dict[str, str]:
    """The columns of a log, with their types, as DuckDB finds them; kept beside the log."""
    kept = source.with_suffix(".columns.json")
    if not kept.exists():
        with duckdb.connect() as connection:
            rows = connection.sql(f"DESCRIBE {_query(str(source), None)}").fetchall()
        kept.write_text(json.dumps({row[0]: row[1] for row in rows}), "utf-8")
    found: dict[str, str] = json.loads(kept.read_text("utf-8"))
    return found


def _query(source: str, columns: Mapping[str, str] | None) -> str:
    known = ", sample_size = -1"
    if columns is not None:
        pairs = ", ".join(f"{_quoted(name)}: {_quoted(of)}" for name, of in columns.items())
        known = f", columns = {{{pairs}}}"
    return (
        f"SELECT * FROM read_json({_quoted(source)}, format = 'newline_delimited', "
        f"maximum_object_size = {_LARGEST}{known})"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
