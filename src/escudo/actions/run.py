"""Content, a lake, a state -> searches run by their schedules, once or for as long as the process
lives; called by ``escudo run`` and ``escudo backfill``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, tzinfo
from threading import Event

from escudo.actions.delivery import list_findings
from escudo.actions.hunt import HuntPlan
from escudo.actions.workspace import Workspace
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.timerange import TimeRange
from escudo.schedule.backfill import Opened, open_gaps
from escudo.schedule.clock import Clock
from escudo.schedule.database import State
from escudo.schedule.planned_search import PlannedSearch, plan_searches
from escudo.schedule.planning import plan_windows
from escudo.schedule.window_runs import Equipment
from escudo.schedule.worker import Step, Worker
from escudo.sinks.dispatch import Dispatcher

POLL_SECONDS = 5.0
"""Seconds between two looks at the lake for late data, and at the state for others' windows."""

HELD_UP_SECONDS = 0.5
"""Seconds between two looks at the state while other workers have what is due."""

FAILED_SECONDS = 5.0
"""Seconds after which a step that failed is tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """How schedules are kept.

    ``zone`` is that of cron lines; ``skew`` the share of its period (0 to 1) by which a search may
    be due later; ``continuous`` runs all windows that were missed, not the last one alone;
    ``whole``: the plan has all searches of the content, so that others are out of date.
    """

    zone: tzinfo = UTC
    skew: float = 0.0
    continuous: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """A worker, the searches that it runs and how, and why others are not run."""

    worker: Worker
    searches: Sequence[PlannedSearch]
    problems: Sequence[Diagnostic]
    options: RunOptions


def prepare_worker(
    plan: HuntPlan,
    workspace: Workspace,
    state: State,
    *,
    options: RunOptions | None = None,
    outlet: Dispatcher | None = None,
) -> Prepared:
    """A worker for the detections and baselines of a plan; the workspace's time counts for nothing.

    Raises:
        EscudoError: SCH001 where the state fails.
    """
    options = options or RunOptions()
    searches, problems = _plan(plan, workspace, options)
    worker = Worker(
        state,
        searches,
        equip(workspace),
        outlet=outlet,
        continuous=options.continuous,
        whole=options.whole,
    )
    return Prepared(worker, searches, problems, options)


def take_content(prepared: Prepared, plan: HuntPlan, workspace: Workspace) -> Prepared:
    """Gives a worker other content, from its next step on; what that has no longer is not run."""
    searches, problems = _plan(plan, workspace, prepared.options)
    prepared.worker.take_content(searches, equip(workspace))
    return replace(prepared, searches=searches, problems=problems)


def _plan(
    plan: HuntPlan, workspace: Workspace, options: RunOptions
) -> tuple[list[PlannedSearch], list[Diagnostic]]:
    return plan_searches(
        workspace.content,
        plan.detections,
        plan.baselines,
        zone=options.zone,
        skew=options.skew,
    )


def equip(workspace: Workspace) -> Equipment:
    """What a worker runs searches with."""
    return Equipment(
        content=workspace.content,
        lake=workspace.lake,
        engine_of=workspace.engine_of,
        screener=workspace.screener,
        describe=lambda judgement: list_findings([judgement]),
    )


def run_once(worker: Worker, now: float, *, clock: Clock) -> Step:
    """Runs all that is due at a time; while other workers have some of it, it is waited for, so
    that nothing is left undone if one of them dies."""
    never = Event()
    total = worker.step(now)
    while total.held_up:
        clock.wait(HELD_UP_SECONDS, never)
        total = add_steps(total, worker.step(now))
    return total


def run_daemon(
    worker: Worker,
    clock: Clock,
    stop: Event,
    *,
    follow: Callable[[Step, float], None] = lambda _step, _now: None,
    tell: Callable[[Diagnostic], None] = lambda _diagnostic: None,
    before: Callable[[], None] = lambda: None,
    poll: float = POLL_SECONDS,
) -> None:
    """Runs what is due whenever it is, until ``stop`` is set; searches that run then end first.

    Where the lake or the state fails (a full disk, a database that restarts), what was claimed is
    run again later.

    Args:
        follow: is told each step that did something, and when.
        tell: is told what failed.
        before: is called before each step, in the same thread: it may give the worker other
            content.
        poll: see ``POLL_SECONDS``.
    """
    while not stop.is_set():
        now = clock.now()
        try:
            before()
            step = worker.step(now, stop)
        except EscudoError as error:
            tell(error.diagnostic)
            log_event("step failed", level=ERROR, error=error.code)
            clock.wait(FAILED_SECONDS, stop)
            with suppress(EscudoError):
                worker.leave()
            continue
        if not step.idle:
            follow(step, now)
        pause = HELD_UP_SECONDS if step.held_up else poll
        if step.next_due is not None:
            pause = min(pause, max(0.0, step.next_due - clock.now()))
        clock.wait(pause, stop)
    log_event("run ends")


def fill_gaps(
    prepared: Prepared,
    state: State,
    within: TimeRange | None,
    *,
    now: float,
    clock: Clock,
) -> tuple[Opened, Step]:
    """Runs windows that were missed, or all of a range of time; see ``schedule.backfill``.

    Raises:
        EscudoError: SCH008 for a range that is open or lies ahead.
    """
    planned = plan_windows(
        state,
        prepared.searches,
        now,
        continuous=prepared.options.continuous,
        whole=prepared.options.whole,
    )
    opened = open_gaps(state, planned.searches, within, now=now)
    return opened, run_once(prepared.worker, now, clock=clock)


def add_steps(first: Step, second: Step) -> Step:
    """Two steps as one; what holds at the end is the second's."""
    added = {f.name for f in fields(Step)} - {"held_up", "next_due"}
    return replace(second, **{name: getattr(first, name) + getattr(second, name) for name in added})
