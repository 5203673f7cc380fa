"""A subsearch of a command -> its rows, of which so many take part at most; ``join`` and others
call it.

The rows of ``tstats ... BY _time span=1h ...`` come in the order of their time: the first 50,000
are of the first hours, however long the time range is (2026-12-01, ten million events: 1 s for 16).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import pyarrow as pa

from escudo.core.timerange import TimeRange
from escudo.spl.binding.binder import Binder
from escudo.spl.binding.declaration import DeclaredCommand
from escudo.spl.binding.runner import LateProver
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import Scan
from escudo.spl.relation.sql import (
    alias,
    at_most,
    column,
    count_rows,
    divided_by,
    group_rows,
    literal_number,
    prelude_call,
    select,
)
from escudo.spl.syntax.ast import CommandNode, Pipeline

EVENTS_A_ROW = 4
"""Events that a row is made of, by guess, before some have been read."""

SPARE = 1.5
"""So many times the events are read that a row took of those which were read first."""

MOST_READ = 0.5
"""The share of the events from which on nothing is left out."""

_HOUR = 3600.0


def bind_limited(
    pipeline: Pipeline,
    most: int,
    command: CommandNode,
    binder: Binder,
    *,
    limit_option: str | None,
) -> Relation:
    """The rows of a command's subsearch, at most so many; SPL320 says that there were more.

    ``limit_option`` is the option of the command that raises the limit, if it has one.

    To know, the subsearch runs before the search, as in Splunk, and its rows are a table of the
    search. Rows of unnamed fields are only counted before.
    """

    def say_if_cut(found: int) -> None:
        if found > most:
            raised = f": {limit_option} raises the limit" if limit_option else ""
            binder.warn(
                "SPL320",
                f"the subsearch of {command.name} gives more than {most:,} rows; "
                f"the others take no part{raised}",
                command.span,
            )

    relation = binder.subsearch(pipeline)
    if binder.runner is None:
        return relation.limit(most)
    if relation.open:
        say_if_cut(binder.count(relation, most + 1))
        return relation.limit(most)

    def cut(rows: pa.Table) -> pa.Table:
        say_if_cut(rows.num_rows)
        return rows.slice(0, most)

    first = _read_early(pipeline, relation, most + 1, binder) or relation
    return binder.batch(first.limit(most + 1), "a subsearch", cut)


def _read_early(
    pipeline: Pipeline, relation: Relation, most: int, binder: Binder
) -> Relation | None:
    """The rows of a subsearch over the begin of its time, of which the first ``most`` are its own
    first ones; None where it is not known to have so many there, or reads little anyway."""
    delay = _find_delay(pipeline)
    scans = list(relation.scans())
    runner = binder.runner
    if delay is None or len(scans) != 1 or not isinstance(runner, LateProver):
        return None
    if not runner.proves_late(scans):
        return None
    hours = _count_events(scans[0], binder)
    events = most * EVENTS_A_ROW
    while (end := _find_end(hours, events)) is not None:
        within = binder.within & TimeRange(None, end + delay)
        early = binder.during(within).subsearch(pipeline)
        if not early.order or [scan.within for scan in early.scans()] != [within]:
            return None
        # The events of these rows, and of all that come before them, are before the end. What the
        # rows are ordered by is their own time; `_time` may be another by now.
        time = early.order[0].sql.copy()
        whole = early.where(at_most(time, literal_number(end)))
        found = binder.count(whole, most)
        if found == most:
            return early
        if not found:
            return None
        events = math.ceil(events * max(2.0, SPARE * most / found))
    return None


def _find_delay(pipeline: Pipeline) -> float | None:
    """How long after the time of its row an event may be; None where the rows are not in the order
    of their time, or depend on what a search in it finds in all of the time."""
    first, *others = pipeline.commands
    if any(isinstance(node, Pipeline) for command in pipeline.commands for node in command.walk()):
        return None
    for command in others:
        declared = command.declaration() if isinstance(command, DeclaredCommand) else None
        if declared is None or not (declared.row_by_row or declared.filters):
            return None
    return first.delay() if isinstance(first, DeclaredCommand) else None


def _count_events(scan: Scan, binder: Binder) -> list[tuple[float, int]]:
    """The ends of the hours of a table's events in order, and how many were by then."""
    rows = binder.read(scan.schema, scan.within, constrained=False)
    time = rows.bound("_time")
    if time is None:
        return []
    hour = binder.names.fresh("hour")
    begun = prelude_call("spl_floor", divided_by(column(time.ident), literal_number(_HOUR)))
    rows = rows.hide([(hour, begun)])
    asked = select([column(hour), alias(count_rows(), "n")], rows.render())
    found = binder.run(group_rows(asked, [column(hour)]), rows)
    counted = dict(zip(*map(pa.ChunkedArray.to_pylist, found.columns), strict=True))
    known = sorted(hour for hour in counted if hour is not None)
    so_far = accumulate(counted[hour] for hour in known)
    return [((hour + 1) * _HOUR, n) for hour, n in zip(known, so_far, strict=True)]


def _find_end(hours: Sequence[tuple[float, int]], events: int) -> float | None:
    """The end of the hour by which so many events were; None where that is late."""
    if not hours or hours[-1][1] * MOST_READ < events:
        return None
    return next(end for end, n in hours if n >= events)
