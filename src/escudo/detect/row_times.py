"""Matches -> the same with the time of each row; hunts call it before risk is scored.

A row's time is that of its events. It is in the row (``_time``, ``lastTime``, ``firstTime``), or,
where the search dropped it, in the events that made the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
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
_ISO_DIGITS = r"^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d$"


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
    times = pa.nulls(match.rows.num_rows, pa.float64())
    for name in _TIME_FIELDS:
        if name in match.rows.column_names and times.null_count:
            times = pc.coalesce(times, read_times(match.rows[name], match.now))
    out: list[float | None] = times.to_pylist()
    return out


def read_times(values: pa.ChunkedArray, now: float) -> pa.ChunkedArray:
    """The epoch seconds of values of a time field, as doubles; null where a value is no time.

    >>> read_times(pa.chunked_array([["2020-10-08T11:03:46", None]]), 0.0).to_pylist()
    [1602155026.0, None]
    """
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        return values.cast(pa.float64(), safe=False)  # beyond 2^53, too
    if pa.types.is_string(values.type) and _are_iso(values):
        with suppress(pa.ArrowInvalid):  # one is of a day that no calendar has
            return values.cast(pa.timestamp("s")).cast(pa.int64()).cast(pa.float64())
    read = (read_time(v, now) for chunk in values.chunks for v in chunk.to_pylist())
    return pa.chunked_array([pa.array(read, pa.float64())])


def _are_iso(values: pa.ChunkedArray) -> bool:
    """Whether all values that are there are seconds in ``_ISO``."""
    alike = pc.match_substring_regex(values, _ISO_DIGITS)
    return pc.all(alike, min_count=0).as_py() is True


def read_time(value: object, now: float) -> float | None:
    """The epoch seconds that a value of a time field means; None for what is no time.

    >>> read_time("2020-10-08T11:03:46", 0.0), read_time("1602155026.5", 0.0)
    (1602155026.0, 1602155026.5)
    >>> read_time("now", 0.0)
    """
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
