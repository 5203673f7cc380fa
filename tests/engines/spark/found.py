"""The findings and risk events of a lake, as they are whoever found them."""

from __future__ import annotations

from escudo.lake import Lake
from escudo.lake.tables import NOTABLE, RISK
from tests.lake.stored_rows import read_table

_OF_A_RUN = frozenset({"_event_id", "_indextime", "orig_sid", "info_max_time"})


def read_found(lake: Lake) -> dict[str, list[str]]:
    """The rows of both tables, without what is of one run; none is there twice."""
    return {table: _read_rows(lake, table) for table in (RISK, NOTABLE)}


def _read_rows(lake: Lake, table: str) -> list[str]:
    if table not in lake.snapshot().tables():
        return []
    rows = read_table(lake, table).to_pylist()
    known = [(row["event_hash"], row.get("risk_object")) for row in rows]
    assert len(set(known)) == len(known)
    kept = [{k: v for k, v in row.items() if k not in _OF_A_RUN} for row in rows]
    return sorted(repr(sorted(row.items())) for row in kept)
