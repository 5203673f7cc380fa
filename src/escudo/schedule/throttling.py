"""Rows of a window -> those that throttling lets through; called where a window is judged.

After a row was found, no other one of the same values of the throttling's fields is, until its
period is over: neither risk nor finding. The period is counted from the row's own time, so that it
does not matter when a window is run. As in Splunk a new version of a search begins anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence, Set
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from escudo.detect import Match
from escudo.findings.rows import date_rows, hash_rows
from escudo.schedule.claims import Throttle
from escudo.schedule.database import State
from escudo.schedule.tables import THROTTLES


@dataclass(frozen=True, slots=True)
class Throttled:
    """What is left of a match, how many rows are not, and what keeps others quiet from now on."""

    match: Match
    rows: int = 0
    throttles: tuple[Throttle, ...] = ()


def throttle_match(state: State, search_id: int, match: Match, written: Set[str]) -> Throttled:
    """Leaves out rows that an earlier one of the same key keeps quiet.

    Args:
        search_id: the version of the search, as the state knows it.
        match: with its times.
        written: hashes of rows that an earlier try has written: what is written stands.
    """
    throttling = match.detection.tags.throttling
    if throttling is None or not match.rows.num_rows:
        return Throttled(match)
    hashes = hash_rows(match.detection.id, match.rows).to_pylist()
    times = date_rows(match).to_pylist()
    keys = _list_keys(match, throttling.fields)
    quiet = _read_throttles(state, search_id, set(keys))
    kept: list[int] = []
    made: list[Throttle] = []
    order = sorted(range(len(keys)), key=lambda i: (hashes[i] not in written, times[i], hashes[i]))
    for i in order:
        before = quiet.setdefault(keys[i], [])
        if any(t.event_hash == hashes[i] for t in before):
            kept.append(i)
        elif hashes[i] in written or not any(t.since <= times[i] < t.until for t in before):
            kept.append(i)
            throttle = Throttle(keys[i], hashes[i], times[i], times[i] + throttling.seconds)
            before.append(throttle)
            made.append(throttle)
    if len(kept) < len(keys):
        match = match.take(pa.array(sorted(kept), pa.int64()))
    return Throttled(match, len(keys) - len(kept), tuple(made))


def _list_keys(match: Match, fields: Sequence[str]) -> list[str]:
    names = [f for f in fields if f in match.rows.column_names]
    rows = match.rows.select(names).to_pylist() if names else [{}] * match.rows.num_rows
    return [_digest([str(row.get(f)) for f in fields]) for row in rows]


def _digest(values: Sequence[str]) -> str:
    text = json.dumps(values, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _read_throttles(state: State, search_id: int, keys: Set[str]) -> dict[str, list[Throttle]]:
    out: dict[str, list[Throttle]] = {}
    with state.begin() as connection:
        rows = connection.execute(
            sa.select(THROTTLES).where(
                THROTTLES.c.search_id == search_id, THROTTLES.c.key.in_(sorted(keys))
            )
        ).all()
    for row in rows:
        known = Throttle(row.key, row.event_hash, row.since, row.until)
        out.setdefault(row.key, []).append(known)
    return out
