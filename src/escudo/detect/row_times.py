"""Matches -> the same with the time of each row; hunts call it before risk is scored.

A row's time is that of its events. It is in the row (``_time``, ``lastTime``, ``firstTime``), or,
where the search dropped it, in the events that made the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.detect.running import EVENT_ID, Match
from escudo.engines.execute import Engine
from escudo.spl import Scan, alias, column, parse_time, prelude_call, select, table

_TIME_FIELDS = ("_time", "lastTime", "firstTime")
_ISO = "%Y-%m-%dT%H:%M:%S"


def date_matches(matches: Sequence[Match], catalog: Catalog, engine: Engine) -> list[Match]:
    """The matches with ``times``: epoch seconds, null where neither row nor events tell."""
    own = [find_own_times(match) for match in matches]
    wanted: set[int] = set()
    for match, times in zip(matches, own, strict=True):
        for ids, time in zip(match.event_ids.to_pylist(), times, strict=True):
            if time is None:
                wanted.update(ids or ())
    known = find_event_times(wanted, catalog, engine) if wanted else {}
    out = []
    for match, times in zip(matches, own, strict=True):
        if not times:
            out.append(match)
            continue
        for i, (ids, time) in enumerate(zip(match.event_ids.to_pylist(), times, strict=True)):
            if time is None:
                times[i] = max((known[n] for n in ids or () if n in known), default=None)
        out.append(replace(match, times=pa.chunked_array([pa.array(times, pa.float64())])))
    return out


def find_own_times(match: Match) -> list[float | None]:
    """For each row the time that it has itself."""
    names = [n for n in _TIME_FIELDS if n in match.rows.column_names]
    rows = match.rows.select(names).to_pylist() if names else [{}] * match.rows.num_rows
    return [find_own_time(row, match.now) for row in rows]


def find_own_time(row: Mapping[str, Any], now: float) -> float | None:
    """The epoch seconds of a row's ``_time``, else of ``lastTime`` or ``firstTime``.

    >>> find_own_time({"firstTime": "2020-10-08T11:03:46"}, 0.0)
    1602155026.0
    >>> find_own_time({"count": 5}, 0.0)
    """
    for name in _TIME_FIELDS:
        value = row.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            for timeformat in (_ISO, None):
                try:
                    epoch = parse_time(value, now, timeformat=timeformat)
                except EscudoError:
                    continue
                if epoch is not None:
                    return epoch
    return None


def find_event_times(ids: set[int], catalog: Catalog, engine: Engine) -> dict[int, float]:
    """Event id -> epoch seconds, for events that are in the raw tables."""
    wanted = pa.table({"id": pa.array(sorted(ids), pa.int64())})
    chosen = exp.Subquery(this=select([column("id")], table("wanted")))
    asked = exp.In(this=column(EVENT_ID), query=chosen)
    out: dict[int, float] = {}
    for schema in catalog.raw_tables():
        if not catalog.files(schema.table, ALL_TIME):
            continue
        columns = {c.name: c for c in schema.columns if c.name in ("_time", EVENT_ID)}
        own = TableSchema(schema.table, tuple(columns.values()))
        scan = Scan("dated", own, ALL_TIME, columns)
        time = alias(prelude_call("spl_epoch", column("_time")), "time")
        query = select([column(EVENT_ID), time], table(scan.name)).where(asked.copy())
        found = engine.run(query, [scan], {"wanted": wanted})
        out.update(zip(found[EVENT_ID].to_pylist(), found["time"].to_pylist(), strict=True))
    return out
