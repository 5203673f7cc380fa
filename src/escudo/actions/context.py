"""Rows that detections found -> what is around them, bounded; called by what shows findings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import Any

from escudo.actions.hunt_summary import FoundRow
from escudo.actions.shown_rows import iterate_rows
from escudo.actions.workspace import Workspace
from escudo.core.errors import Diagnostic
from escudo.core.interrupts import find_stop, meet_stop
from escudo.detect import Match
from escudo.detect.attempt import attempt
from escudo.engines.execute import Engine, Result
from escudo.findings.drilldown import (
    FilledDrilldown,
    fill_drilldowns,
    find_drilldown_clock,
    run_drilldown,
)
from escudo.findings.tree import Tree, grow_trees

MOST_ROWS = 20
"""Rows of a drilldown, unless more or fewer are asked for."""


@dataclass(frozen=True, slots=True)
class RunDrilldown:
    """A drilldown as it was run: the first of its rows, the fields of which they have a value, and
    how many rows there are; ``problem`` says why there are none."""

    drilldown: FilledDrilldown
    fields: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    total: int = 0
    problem: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What is around a row: its process trees, and its drilldowns in the order of the detection.
    ``problem`` says why there is nothing."""

    trees: tuple[Tree, ...] = ()
    drilldowns: tuple[RunDrilldown, ...] = ()
    problem: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class OpenedContexts:
    """The contexts of the first of some rows, in their order; ``stopped`` is what ended the opening
    before the last, if something did."""

    contexts: tuple[Context, ...] = ()
    stopped: KeyboardInterrupt | None = None


def open_contexts(
    rows: Sequence[FoundRow],
    workspace: Workspace,
    *,
    most_rows: int = MOST_ROWS,
    seconds: float | None = None,
    zone: tzinfo = UTC,
    follow: Callable[[Sequence[FoundRow]], Iterable[FoundRow]] = iter,
) -> OpenedContexts:
    """What is around rows; see ``open_context``. One that cannot be opened says why.

    Args:
        seconds: after so long no more are opened.
        zone: the time zone of times in the rows of drilldowns.
        follow: is given the rows and yields them (a progress bar). After Ctrl-C no more are opened.
    """
    contexts: list[Context] = []
    begun = time.monotonic()
    try:
        for row in follow(rows):
            if seconds is not None and time.monotonic() - begun > seconds:
                break
            opening = partial(
                open_context, row.match, row.index, workspace, most_rows=most_rows, zone=zone
            )
            opened = attempt(opening, name=row.detection)
            contexts.append(Context(problem=opened) if isinstance(opened, Diagnostic) else opened)
    except KeyboardInterrupt as error:  # who asked has those that were opened
        meet_stop()
        return OpenedContexts(tuple(contexts), find_stop(error))
    return OpenedContexts(tuple(contexts))


def open_context(
    match: Match,
    row: int,
    workspace: Workspace,
    *,
    most_rows: int = MOST_ROWS,
    zone: tzinfo = UTC,
) -> Context:
    """The process trees around the events of a row, and its drilldowns, run over the lake.

    A lake without processes has no tree. A drilldown that fails is beside the others.

    Raises:
        EscudoError: FND101 where the match has no such row.
    """
    snapshot = workspace.lake.snapshot()
    engine = workspace.engine_of(snapshot)
    trees: list[Tree] = []
    events = match.event_ids[row].as_py() or []
    if events and snapshot.dataset("Endpoint", "Processes") is not None:
        trees = grow_trees(events, engine, snapshot, within=workspace.within)
    drilldowns = (
        _show_drilldown(drilldown, outcome, most=most_rows, zone=zone)
        for drilldown, outcome in _run_drilldowns(match, row, workspace=workspace, engine=engine)
    )
    return Context(tuple(trees), tuple(drilldowns))


def _run_drilldowns(
    match: Match, row: int, *, workspace: Workspace, engine: Engine
) -> Iterator[tuple[FilledDrilldown, Result | Diagnostic]]:
    now = find_drilldown_clock(match, row)
    for drilldown in fill_drilldowns(match, row):
        run = partial(
            run_drilldown, drilldown, engine, engine.catalog, workspace.knowledge, now=now
        )
        yield drilldown, attempt(run, name=drilldown.name, source=drilldown.search)


def _show_drilldown(
    drilldown: FilledDrilldown, outcome: Result | Diagnostic, *, most: int, zone: tzinfo
) -> RunDrilldown:
    if isinstance(outcome, Diagnostic):
        return RunDrilldown(drilldown, problem=outcome)
    rows = tuple(iterate_rows(outcome.table.slice(0, most), zone))
    held = {name for row in rows for name in row}
    fields = tuple(name for name in outcome.table.column_names if name in held)
    return RunDrilldown(drilldown, fields, rows, outcome.table.num_rows)
