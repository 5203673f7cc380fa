"""A lake that was hunted -> its hits, and the events around them, in the order of time; called by
``escudo timeline``.

Hits are what hunts have left in the lake: risk events and findings. One row of a detection is one
hit, however many of them it has given.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlglot import exp

from escudo.actions.match_rows import list_hosts, list_texts, list_users
from escudo.actions.workspace import Workspace
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.engines.execute import Engine, run_search
from escudo.engines.scans import pick_columns
from escudo.findings.notable import rate_score
from escudo.lake.snapshot import Snapshot
from escudo.lake.tables import NOTABLE, RISK, STASH
from escudo.spl import alias, column, prelude_call, select, table, within_range

_HITS = (
    "search index=risk OR index=notable | stats max(_time) as _time"
    " values(search_name) as search_name values(rule_name) as rule_name"
    " values(severity) as severity max(risk_score) as risk_score"
    " values(risk_message) as risk_message values(rule_title) as rule_title"
    " values(annotations.mitre_attack) as technique values(risk_object) as risk_object"
    " values(dest) as dest values(orig_host) as host values(Computer) as Computer"
    " values(user) as user values(process) as process values(parent_process) as parent_process"
    " values(source_file) as source_file by event_hash"
    " | sort 0 _time event_hash"
)
_EVENT_COLUMNS = ("_time", "_event_id", "host", "source", "sourcetype", "source_file", "_raw")
_ROWS_AT_ONCE = 50_000
"""Events of a stretch of time that are sorted in memory."""

_SHORTEST = 1.0
"""Seconds of a stretch that is not cut any further."""

_SEARCH_NAME = re.compile(r".+? - (.+) - Rule")
"""The name of a detection's saved search; risk events carry it."""

_ADDRESS = re.compile(r"[\d.]+|.*:.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What a detection found; ``time`` is in epoch seconds."""

    time: float
    detection: str
    severity: str
    risk_score: float
    message: str
    techniques: tuple[str, ...]
    hosts: tuple[str, ...]
    users: tuple[str, ...]
    process: str
    parent_process: str
    source_files: tuple[str, ...]
    event_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEvent:
    """An event near a hit, as its log has it."""

    time: float
    host: str
    source: str
    sourcetype: str
    raw: str
    source_file: str
    event_id: int


def build_timeline(
    workspace: Workspace, *, around: float | None = None
) -> Iterator[Hit | RawEvent]:
    """The hits of a lake within the workspace's time, the earliest first.

    Args:
        around: with each hit also the events of its host so many seconds before and after it; of a
            hit that names no host, those of all hosts. An event comes once.

    The lake stays open while this is read. Hits fit into memory, events are read piece by piece.
    """
    snapshot = workspace.lake.snapshot()
    engine = workspace.engine_of(snapshot)
    found = run_search(
        _HITS,
        engine,
        snapshot,
        workspace.knowledge,
        now=workspace.now,
        within=workspace.within,
    ).table
    hits = _read_hits(found)
    if around is None:
        return hits
    windows = _Windows(_read_hits(found), around)
    events = _read_events(windows, snapshot, engine)
    return heapq.merge(events, hits, key=lambda entry: entry.time)


def _read_hits(found: pa.Table) -> Iterator[Hit]:
    for batch in found.to_batches(max_chunksize=1_000):
        yield from map(_read_hit, batch.to_pylist())


def _read_hit(row: Mapping[str, Any]) -> Hit:
    def text(name: str) -> str:
        return "; ".join(list_texts(row.get(name)))

    score = float(row["risk_score"] or 0)
    return Hit(
        time=float(row["_time"]),
        detection=text("rule_name") or _SEARCH_NAME.sub(r"\1", text("search_name")),
        severity=text("severity") or rate_score(score),
        risk_score=score,
        message=text("risk_message") or text("rule_title"),
        techniques=tuple(list_texts(row.get("technique"))),
        hosts=tuple(list_hosts(row, ())),
        users=tuple(list_users(row, ())),
        process=text("process"),
        parent_process=text("parent_process"),
        source_files=tuple(list_texts(row.get("source_file"))),
        event_hash=row["event_hash"],
    )


class _Windows:
    """The times around hits, by host: stretches that do not overlap, in their order."""

    def __init__(self, hits: Iterator[Hit], around: float) -> None:
        times: dict[str | None, list[float]] = defaultdict(list)
        for hit in hits:
            for host in hit.hosts or (None,):
                times[None if host is None else fold_host(host)].append(hit.time)
        self._by_host = {
            h: _merge([(t - around, t + around) for t in own]) for h, own in times.items()
        }
        self.all = _merge([window for own in self._by_host.values() for window in own])

    def hold(self, host: str, time: float) -> bool:
        """Whether an event of a host is near a hit of it, or near one that names no host."""
        return any(_holds(self._by_host.get(key, []), time) for key in (fold_host(host), None))


def fold_host(name: str) -> str:
    """What two names of one host have in common: its first label, in lower case; an address whole.

    >>> fold_host("PC1.example.org"), fold_host("10.0.0.1")
    ('pc1', '10.0.0.1')
    """
    return name if _ADDRESS.fullmatch(name) else name.partition(".")[0].lower()


def _merge(windows: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(windows):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _holds(windows: Sequence[tuple[float, float]], time: float) -> bool:
    index = bisect_right(windows, (time, float("inf"))) - 1
    return index >= 0 and time <= windows[index][1]


def _read_events(windows: _Windows, snapshot: Snapshot, engine: Engine) -> Iterator[RawEvent]:
    for low, high in windows.all:
        # The range is half-open, a window is not: its last microsecond belongs to it.
        for event in _read_stretch(TimeRange(low, high + 1e-6), snapshot, engine):
            if windows.hold(event.host, event.time):
                yield event


def _read_stretch(within: TimeRange, snapshot: Snapshot, engine: Engine) -> Iterator[RawEvent]:
    """The events of a stretch of time in their order; a full one is cut in two."""
    assert within.earliest is not None
    assert within.latest is not None
    schemas = [
        schema
        for schema in snapshot.raw_tables()
        if schema.table not in (RISK, NOTABLE, STASH) and snapshot.files(schema.table, within)
    ]
    length = within.latest - within.earliest
    if length > _SHORTEST and sum(_count(s, within, engine) for s in schemas) > _ROWS_AT_ONCE:
        middle = within.earliest + length / 2
        yield from _read_stretch(TimeRange(within.earliest, middle), snapshot, engine)
        yield from _read_stretch(TimeRange(middle, within.latest), snapshot, engine)
        return
    events = [event for schema in schemas for event in _read_table(schema, within, engine)]
    yield from sorted(events, key=lambda event: (event.time, event.event_id))


def _count(schema: TableSchema, within: TimeRange, engine: Engine) -> int:
    scan = pick_columns(schema, ("_time",), within)
    query = select([alias(exp.Count(this=exp.Star()), "events")], table(scan.name))
    (row,) = engine.run(query.where(within_range(column("_time"), within)), [scan], {}).to_pylist()
    return int(row["events"])


def _read_table(schema: TableSchema, within: TimeRange, engine: Engine) -> Iterator[RawEvent]:
    scan = pick_columns(schema, _EVENT_COLUMNS, within)
    moment = alias(prelude_call("spl_epoch", column("_time")), "time")
    query = select([moment, *(column(n) for n in _EVENT_COLUMNS if n != "_time")], table(scan.name))
    query = query.where(within_range(column("_time"), within))
    for row in engine.run(query, [scan], {}).to_pylist():
        yield RawEvent(
            time=row["time"],
            host=row["host"] or "",
            source=row["source"] or "",
            sourcetype=row["sourcetype"] or "",
            raw=row["_raw"] or "",
            source_file=row["source_file"] or "",
            event_id=row["_event_id"],
        )
