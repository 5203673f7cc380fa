"""Tokens for senders, and what of theirs is in the lake."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.lake.tables import load_tables
from escudo.schedule.database import FILE, State
from escudo.serve.accounts.tokens import HEC, Tokens

_load_tables = cache(load_tables)


def add_token(lake: Path, name: str, **settings: Any) -> str:
    """A new HEC token of the administrator; its secret."""
    with State.open(lake / FILE) as state:
        secret, _ = Tokens(state, clock=time.time).add(
            name, kind=HEC, owner="admin", settings=settings
        )
    return secret


def read_events(lake: Path, **wanted: str) -> list[dict[str, Any]]:
    """All events of a lake, with their fields, whose columns have these values."""
    with Lake.open(lake, create=False, tables=_load_tables()) as opened:
        snapshot = opened.snapshot()
        rows = [
            _flatten(row, schema.table)
            for schema in snapshot.raw_tables()
            for file in snapshot.files(schema.table, ALL_TIME)
            for row in pq.read_table(file).to_pylist()
        ]
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def _flatten(row: Mapping[str, Any], table: str) -> dict[str, Any]:
    own = {name: value for name, value in row.items() if value is not None and name != "_fields"}
    return {**dict(row.get("_fields") or ()), **own, "table": table}


def count_commits(lake: Path) -> int:
    """How many commits the lake has."""
    with Lake.open(lake, create=False, tables=_load_tables()) as opened:
        return opened.ledger.head().id
