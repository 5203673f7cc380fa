"""A lake that was hunted -> its hits, and the events around them, in the order of time; called by
``escudo timeline``.

Hits are what hunts have left in the lake: risk events and findings. One row of a detection is one
hit, however many of them it has given.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
from sqlglot import exp

from escudo.actions.match_rows import cut_domain, list_hosts, list_texts, list_users
from escudo.actions.raw_events import Event, list_logs, read_events
from escudo.actions.workspace import Workspace
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.engines.execute import Engine, run_search
from escudo.engines.scans import pick_columns
from escudo.findings.notable import rate_score
from escudo.lake.snapshot import Snapshot
from escudo.spl import (
    alias,
    coalesce,
    column,
    literal_text,
    prelude_call,
    select,
    table,
    within_range,
)

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
_ROWS_AT_ONCE = 50_000
"""Events of a stretch of time that are sorted in memory."""

_SHORTEST = 1.0
"""Seconds of a stretch that is not cut any further."""

_NEAR = "near"
"""The table of windows in a query."""

_SEARCH_NAME = re.compile(r".+? - (.+) - Rule")
"""The name of a detection's saved search; risk events carry it."""


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


def build_timeline(workspace: Workspace, *, around: float | None = None) -> Iterator[Hit | Event]:
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
    events = _read_around(_read_hits(found), around, snapshot=snapshot, engine=engine)
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


def _read_around(
    hits: Iterable[Hit], around: float, *, snapshot: Snapshot, engine: Engine
) -> Iterator[Event]:
    """The events near hits in the order of their time, each once."""
    times: dict[str | None, list[float]] = defaultdict(list)
    for hit in hits:
        for host in hit.hosts or (None,):
            times[None if host is None else _fold(host)].append(hit.time)
    spans = {h: [(t - around, t + around) for t in own] for h, own in times.items()}
    together = _merge([span for own in spans.values() for span in own])
    if not together:
        return
    hosts = _list_hosts(_include(together[0][0], together[-1][1]), snapshot, engine)
    windows = [
        (host, low, high)
        for host in hosts
        for low, high in _merge([*spans.get(_fold(host), ()), *spans.get(None, ())])
    ]
    near = _tabulate(windows)
    for low, high in _join(together, snapshot):
        yield from _read_stretch(_include(low, high), near=near, snapshot=snapshot, engine=engine)


def _fold(host: str) -> str:
    """What the names of one host have in common."""
    return cut_domain(host).lower()


def _include(low: float, high: float) -> TimeRange:
    """The range of a window: it is half-open, a window is not."""
    return TimeRange(low, high + 1e-6)


def _merge(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _list_hosts(within: TimeRange, snapshot: Snapshot, engine: Engine) -> set[str]:
    """The names of hosts that events have."""
    hosts: set[str] = set()
    for schema in list_logs(snapshot, within):
        scan = pick_columns(schema, ("host",), within)
        query = select([alias(_host(), "name")], table(scan.name)).distinct()
        hosts.update(engine.run(query, [scan], {})["name"].to_pylist())
    return hosts


def _host() -> exp.Expression:
    return coalesce(column("host"), literal_text(""))


def _join(spans: Sequence[tuple[float, float]], snapshot: Snapshot) -> list[tuple[float, float]]:
    """Spans in their order, those as one that a query reads together: so it opens no file that none
    of them needs."""
    joined: list[tuple[float, float]] = []
    files: set[str] = set()
    for low, high in spans:
        own = _list_files(low, high, snapshot)
        if joined and _list_files(joined[-1][0], high, snapshot) == files | own:
            joined[-1] = joined[-1][0], high
            files |= own
        else:
            joined.append((low, high))
            files = own
    return joined


def _list_files(low: float, high: float, snapshot: Snapshot) -> set[str]:
    within = _include(low, high)
    return {f for s in list_logs(snapshot, within) for f in snapshot.files(s.table, within)}


def _tabulate(windows: Sequence[tuple[str, float, float]]) -> pa.Table:
    """Hosts as events name them, each with the ends of a window, as a table for a query."""
    names = ("hit_host", "low", "high")
    types = (pa.string(), pa.float64(), pa.float64())
    return pa.Table.from_pylist(
        [dict(zip(names, window, strict=True)) for window in windows],
        pa.schema(list(zip(names, types, strict=True))),
    )


def _read_stretch(
    within: TimeRange, *, near: pa.Table, snapshot: Snapshot, engine: Engine
) -> Iterator[Event]:
    """The events of a stretch of time in their order; a full one is cut in two."""
    assert within.earliest is not None
    assert within.latest is not None
    schemas = list(list_logs(snapshot, within))
    length = within.latest - within.earliest
    counts = (_count(s, within, near=near, engine=engine) for s in schemas)
    if length > _SHORTEST and sum(counts) > _ROWS_AT_ONCE:
        middle = within.earliest + length / 2
        for half in (TimeRange(within.earliest, middle), TimeRange(middle, within.latest)):
            yield from _read_stretch(half, near=near, snapshot=snapshot, engine=engine)
        return
    narrow = partial(_narrow, within=within)
    events = [
        event
        for schema in schemas
        for event in read_events(schema, within, engine, narrow=narrow, tables={_NEAR: near})
    ]
    yield from sorted(events, key=lambda event: (event.time, event.event_id))


def _count(schema: TableSchema, within: TimeRange, *, near: pa.Table, engine: Engine) -> int:
    scan = pick_columns(schema, ("_time", "host"), within)
    query = select([alias(exp.Count(this=exp.Star()), "events")], table(scan.name))
    (row,) = engine.run(_narrow(query, within=within), [scan], {_NEAR: near}).to_pylist()
    return int(row["events"])


def _narrow(query: exp.Select, *, within: TimeRange) -> exp.Select:
    """The query with the events of a stretch that are in a window: of a host none overlap."""
    same = exp.EQ(this=_host(), expression=column("hit_host"))
    inside = exp.Between(
        this=prelude_call("spl_epoch", column("_time")), low=column("low"), high=column("high")
    )
    joined = query.join(table(_NEAR), on=exp.and_(same, inside), join_type="inner")
    return joined.where(within_range(column("_time"), within))
