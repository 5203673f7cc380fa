"""A row that a detection found -> what is around it; called by what shows a finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from escudo.actions.workspace import Workspace
from escudo.core.errors import Diagnostic
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


@dataclass(frozen=True)
class RunDrilldown:
    """A drilldown of a row, with its rows or what was wrong with it."""

    drilldown: FilledDrilldown
    outcome: Result | Diagnostic


@dataclass(frozen=True)
class Context:
    """What is around a row: its process trees, and its drilldowns in the order of the detection."""

    trees: tuple[Tree, ...] = ()
    drilldowns: tuple[RunDrilldown, ...] = ()


def open_context(match: Match, row: int, workspace: Workspace) -> Context:
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
    drilldowns = _run_drilldowns(match, row, workspace=workspace, engine=engine)
    return Context(tuple(trees), tuple(drilldowns))


def _run_drilldowns(
    match: Match, row: int, *, workspace: Workspace, engine: Engine
) -> Iterator[RunDrilldown]:
    now = find_drilldown_clock(match, row)
    for drilldown in fill_drilldowns(match, row):
        run = partial(
            run_drilldown, drilldown, engine, engine.catalog, workspace.knowledge, now=now
        )
        outcome = attempt(run, name=drilldown.name, source=drilldown.search)
        yield RunDrilldown(drilldown, outcome)
