"""A lake -> how its sources do: how much comes, when last, how late, where nothing came, what no
data model takes, what was rejected; called by the server's page of sources.

The raw tables are asked twice, with four columns of them, the tables of the data models once: a
million events take 1 s of CPU, half of that for what no data model takes (2026-11-29).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa
from sqlglot import exp

from escudo.actions.ingest import read_rejected_lines
from escudo.actions.raw_events import list_logs
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.lake import Lake, Snapshot
from escudo.spl import alias, column, prelude_call, select, table, within_range
from escudo.storage import Storage

BUCKETS = 96
"""Bars of a rate."""

MOST_ROWS = 500
"""Sources that are told of, those with most events."""

_MOST_REJECTED = 200_000
"""Lines of rejected input that are looked through for why it was rejected."""


class Part(StrEnum):
    """What events are told apart by."""

    SOURCETYPE = "sourcetype"
    SOURCE = "source"
    HOST = "host"
    INDEX = "index"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceActivity:
    """What came of one source in a window. Times are epoch seconds, ``delay`` is how long events
    were under way on average, in seconds; None where the lake does not know.

    ``counts`` are the events in equal parts of the window; ``gap`` is the longest time, in seconds,
    in which a source was silent between its first and its last event, as far as these parts show.
    """

    name: str
    events: int
    first: float
    last: float
    delay: float | None
    unmapped: int
    counts: Sequence[int]
    gap: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why input was rejected, how often, and the first words of one."""

    code: str
    message: str
    count: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file with input that gave no event."""

    path: str
    events: int
    rejected: int
    ingested: float


@dataclass(frozen=True, slots=True)
class Rejections:
    """Input that gave no event: how much, of which files (those with most), and why."""

    total: int = 0
    files: Sequence[RejectedFile] = ()
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The sources of a window, those with most events first. ``span`` is the length of one of the
    parts that are counted; ``left_out`` is how many sources there are beside them."""

    start: float
    end: float
    span: float
    sources: Sequence[SourceActivity]
    left_out: int = 0


@dataclass(slots=True)
class _Sum:
    events: int = 0
    first: float = float("inf")
    last: float = float("-inf")
    late: float = 0.0
    timed: int = 0
    mapped: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * BUCKETS)


def find_extent(snapshot: Snapshot) -> TimeRange | None:
    """From the first to just after the last event of logs that a lake has; None if it has none."""
    files = [f for s in list_logs(snapshot, ALL_TIME) for f in snapshot.data_files(s.table)]
    lows = [f.low for f in files if f.low is not None]
    highs = [f.high for f in files if f.high is not None]
    return TimeRange(min(lows) / 1e6, max(highs) / 1e6 + 1) if lows and highs else None


def list_origins(snapshot: Snapshot, engine: Engine) -> set[tuple[str, str]]:
    """The (index, sourcetype) of all events of logs."""
    found: set[tuple[str, str]] = set()
    for schema in list_logs(snapshot, ALL_TIME):
        scan = pick_columns(schema, ("index", "sourcetype"), ALL_TIME)
        query = select([column("index"), column("sourcetype")], table(scan.name))
        query.set("distinct", exp.Distinct())
        for row in engine.run(query, [scan], {}).to_pylist():
            found.add((row["index"] or "", row["sourcetype"] or ""))
    return found


def read_activity(
    lake: Lake, snapshot: Snapshot, engine: Engine, *, by: Part, start: float, end: float
) -> Activity:
    """How the sources of a lake do in a window, in epoch seconds; the end is exclusive.

    Events that no data model takes (``unmapped``) are those that are in no dataset's table.
    """
    within = TimeRange(start, end)
    span = max((end - start) / BUCKETS, 1e-3)
    sums: dict[str, _Sum] = {}
    for schema in list_logs(snapshot, within):
        _add_sums(sums, schema, engine, by=by, within=within)
    largest = sorted(sums, key=lambda name: (-sums[name].events, name))[:MOST_ROWS]
    kept = {name: sums[name] for name in largest}
    for schema in list_logs(snapshot, within):
        _add_counts(kept, schema, engine, by=by, within=within, span=span)
    _add_mapped(kept, lake, snapshot, engine=engine, by=by, within=within)
    return Activity(
        start=start,
        end=end,
        span=span,
        sources=[_finish(name, own, span) for name, own in kept.items()],
        left_out=len(sums) - len(kept),
    )


def _add_sums(
    sums: dict[str, _Sum], schema: TableSchema, engine: Engine, *, by: Part, within: TimeRange
) -> None:
    scan = pick_columns(schema, (by.value, "_time", "_indextime"), within)
    moment = prelude_call("spl_epoch", column("_time"))
    indexed = prelude_call("spl_epoch", column("_indextime"))
    items = [
        alias(column(by.value), "name"),
        alias(exp.Count(this=exp.Star()), "events"),
        alias(exp.Min(this=moment), "first"),
        alias(exp.Max(this=moment.copy()), "last"),
        alias(exp.Sum(this=exp.Sub(this=indexed, expression=moment.copy())), "late"),
        alias(exp.Count(this=column("_indextime")), "timed"),
    ]
    query = _restrict(select(items, table(scan.name)), within).group_by(column(by.value))
    for row in engine.run(query, [scan], {}).to_pylist():
        own = sums.setdefault(row["name"] or "", _Sum())
        own.events += row["events"]
        if row["first"] is not None:
            own.first, own.last = min(own.first, row["first"]), max(own.last, row["last"])
        own.late += row["late"] or 0.0
        own.timed += row["timed"]


def _add_counts(
    kept: Mapping[str, _Sum],
    schema: TableSchema,
    engine: Engine,
    *,
    by: Part,
    within: TimeRange,
    span: float,
) -> None:
    scan = pick_columns(schema, (by.value, "_time"), within)
    since = exp.Sub(
        this=prelude_call("spl_epoch", column("_time")),
        expression=exp.Literal.number(within.earliest or 0),
    )
    part = exp.Floor(this=exp.Div(this=exp.Paren(this=since), expression=exp.Literal.number(span)))
    items = [
        alias(column(by.value), "name"),
        alias(part, "part"),
        alias(exp.Count(this=exp.Star()), "events"),
    ]
    query = _restrict(select(items, table(scan.name)), within)
    query, tables = _only_kept(query, kept, by)
    query = query.group_by(column(by.value), part.copy())
    for row in engine.run(query, [scan], tables).to_pylist():
        own = kept.get(row["name"] or "")
        if own is not None and row["part"] is not None:
            own.counts[min(max(int(row["part"]), 0), BUCKETS - 1)] += row["events"]


def _add_mapped(
    kept: Mapping[str, _Sum],
    lake: Lake,
    snapshot: Snapshot,
    *,
    engine: Engine,
    by: Part,
    within: TimeRange,
) -> None:
    """Counts the events that are in a dataset's table; one that is in several counts once."""
    scans = []
    parts: list[exp.Select] = []
    for schema in lake.tables.modelled:
        if not snapshot.files(schema.table, within):
            continue
        scan = pick_columns(schema, (by.value, "_time", "_event_id"), within)
        items = [alias(column(by.value), "name"), alias(column("_event_id"), "event")]
        query = _restrict(select(items, table(scan.name)), within)
        scans.append(scan)
        parts.append(query)
    if not parts:
        return
    together: exp.Expression = parts[0]
    for other in parts[1:]:
        together = exp.Union(this=together, expression=other, distinct=False)
    events = exp.Count(this=exp.Distinct(expressions=[column("event")]))
    query = select([column("name"), alias(events, "events")], together).group_by(column("name"))
    for row in engine.run(query, scans, {}).to_pylist():
        own = kept.get(row["name"] or "")
        if own is not None:
            own.mapped += row["events"]


def _restrict(query: exp.Select, within: TimeRange) -> exp.Select:
    inside = within_range(column("_time"), within)
    return query if inside is None else query.where(inside)


def _only_kept(
    query: exp.Select, kept: Mapping[str, _Sum], by: Part
) -> tuple[exp.Select, dict[str, pa.Table]]:
    """The query of some names alone, where others were left out."""
    if len(kept) < MOST_ROWS:
        return query, {}
    wanted = pa.table({"name": pa.array(list(kept), pa.string())})
    chosen = exp.Subquery(this=select([column("name")], table("wanted")))
    return query.where(exp.In(this=column(by.value), query=chosen)), {"wanted": wanted}


def _finish(name: str, own: _Sum, span: float) -> SourceActivity:
    return SourceActivity(
        name=name,
        events=own.events,
        first=own.first,
        last=own.last,
        delay=max(0.0, own.late / own.timed) if own.timed else None,
        unmapped=max(0, own.events - own.mapped),
        counts=tuple(own.counts),
        gap=find_longest_gap(own.counts) * span,
    )


def find_longest_gap(counts: Sequence[int]) -> int:
    """The longest run of zeros between others.

    >>> find_longest_gap([0, 0, 3, 0, 0, 1, 0, 2, 0, 0, 0])
    2
    """
    longest = run = 0
    begun = False
    for count in counts:
        if count:
            longest = max(longest, run if begun else 0)
            begun, run = True, 0
        else:
            run += 1
    return longest


def read_rejections(lake: Lake, *, most: int = 50) -> Rejections:
    """What was rejected: by file as the ledger counts it, and why, as far as it was kept."""
    files = [f for f in lake.ledger.files() if f.rejected]
    files.sort(key=lambda f: (-f.rejected, f.path))
    counts: Counter[tuple[str, str]] = Counter()
    excerpts: dict[tuple[str, str], str] = {}
    for number, row in enumerate(_read_rows(lake.rejected_folder)):
        if number >= _MOST_REJECTED:
            break
        key = row.get("code", ""), row.get("message", "")
        counts[key] += 1
        excerpts.setdefault(key, row.get("excerpt", "")[:300])
    reasons = [
        Reason(code, message, count, excerpts[code, message])
        for (code, message), count in counts.most_common(most)
    ]
    rejected = [RejectedFile(f.path, f.events, f.rejected, f.ingested) for f in files[:most]]
    return Rejections(sum(f.rejected for f in files), rejected, reasons)


def _read_rows(folder: Storage) -> Iterator[Mapping[str, str]]:
    with suppress(OSError):
        for line in read_rejected_lines(folder):
            with suppress(ValueError):
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row
