"""Matches -> the same with the time of each row; hunts call it before risk is scored.

A row's time is that of its events. It is in the row (``_time``, ``lastTime``, ``firstTime``), or,
where the search dropped it, in the events that made the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.detect.running import EVENT_ID, Match
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.spl import alias, column, parse_time, prelude_call, select, table

_TIME_FIELDS = ("_time", "lastTime", "firstTime")
_ISO = "%Y-%m-%dT%H:%M:%S"


def date_matches(matches: Sequence[Match], catalog: Catalog, engine: Engine) -> list[Match]:
    """The matches with ``times``: epoch seconds, null where neither row nor events tell."""
    own = [find_own_times(match) for match in matches]
    behind = [_list_events_behind(m, times) for m, times in zip(matches, own, strict=True)]
    wanted = {event for rows in behind for events in rows.values() for event in events}
    known = find_event_times(wanted, catalog, engine) if wanted else {}
    out = []
    for match, times, rows in zip(matches, own, behind, strict=True):
        for row, events in rows.items():
            times[row] = max((known[e] for e in events if e in known), default=None)
        dated = pa.chunked_array([pa.array(times, pa.float64())])
        out.append(replace(match, times=dated) if times else match)
    return out


def _list_events_behind(match: Match, times: Sequence[float | None]) -> dict[int, list[int]]:
    """The events of each row that has no time itself, by the row's number."""
    undated = [i for i, time in enumerate(times) if time is None]
    lists = match.event_ids.take(pa.array(undated, pa.int64())).to_pylist()
    return {i: events for i, events in zip(undated, lists, strict=True) if events}


def find_own_times(match: Match) -> list[float | None]:
    """For each row the time that it has itself."""
    names = [n for n in _TIME_FIELDS if n in match.rows.column_names]
    if not names:
        return [None] * match.rows.num_rows
    parts = (part.rows.select(names).to_pylist() for part in match.cut())
    return [find_own_time(row, match.now) for row in chain.from_iterable(parts)]


def find_own_time(row: Mapping[str, Any], now: float) -> float | None:
    """The epoch seconds of a row's ``_time``, else of ``lastTime`` or ``firstTime``.

    >>> find_own_time({"firstTime": "2020-10-08T11:03:46"}, 0.0)
    1602155026.0
    >>> find_own_time({"_time": "1602155026.5"}, 0.0)
    1602155026.5
    >>> find_own_time({"lastTime": "now", "count": 5}, 0.0)
    """
    for name in _TIME_FIELDS:
        value = row.get(name)
        if isinstance(value, int | float):
            return float(value)
        # A date begins with its year, epoch seconds are digits: "-1d" is a value, not a time.
        if isinstance(value, str) and value[:4].isdigit():
            for timeformat in (_ISO, None):
                with suppress(EscudoError):
                    return parse_time(value, now, timeformat=timeformat)
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
        scan = pick_columns(schema, ("_time", EVENT_ID), ALL_TIME)
        time = alias(prelude_call("spl_epoch", column("_time")), "time")
        query = select([column(EVENT_ID), time], table(scan.name)).where(asked.copy())
        found = engine.run(query, [scan], {"wanted": wanted})
        out.update(zip(found[EVENT_ID].to_pylist(), found["time"].to_pylist(), strict=True))
    return out
