"""What the lead of a shift looks at: what is open and how old, what is new, who is at risk, whether
events come in and detections run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from escudo.actions.entities import find_newest_risk, rank_objects
from escudo.actions.raw_events import OWN_TABLES
from escudo.actions.triage import open_queue
from escudo.findings.notable import SEVERITIES
from escudo.lake import Lake
from escudo.schedule.status import read_status
from escudo.serve.pages.charts import draw_bars, draw_sum
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server
from escudo.triage.queue import FindingFilter
from escudo.triage.values import UNASSIGNED

router = APIRouter(include_in_schema=False)

_HOUR, _DAY, _WEEK = 3600.0, 86400.0, 604800.0
AGES = ((_HOUR, "< 1 h"), (_DAY, "< 1 d"), (_WEEK, "< 7 d"))
_STALE = _HOUR
"""Seconds after which a source without events is pointed at."""

_TOP = 6


@dataclass(frozen=True, slots=True)
class SourceState:
    """A table of events: its name, its rows, when its newest event was (epoch seconds)."""

    name: str
    rows: int
    last: float | None


@router.get("/")
@asks(Permission.READ)
def show_overview(request: Request) -> Response:
    """The first page."""
    server: Server = request.app.state.server
    now = server.clock.now()
    workspace = server.make_workspace_of(request.scope["principal"])
    queue = open_queue(workspace, server.triage)
    opened = FindingFilter()
    counts = queue.count(opened)
    ages = queue.count_ages(opened, now=now, limits=[limit for limit, _ in AGES])
    unassigned = queue.count(FindingFilter(owner=UNASSIGNED))
    lately = FindingFilter(status=(), made_since=now - _WEEK)
    times = queue.list_times(lately)
    newest = find_newest_risk(workspace)
    since = None if newest is None else newest - _WEEK
    ranked = rank_objects(workspace, since=since, most=_TOP)
    return render(
        request,
        "overview.html",
        severities=tuple(reversed(SEVERITIES)),
        open=sum(c.findings for c in counts),
        urgent=sum(c.findings for c in counts if c.severity in ("critical", "high")),
        unassigned=sum(c.findings for c in unassigned),
        fresh=sum(time > now - _DAY for time in times),
        oldest=min((c.first_made for c in counts), default=None),
        ages=ages,
        age_names=[*(name for _, name in AGES), "Older"],
        chart=draw_bars([(t, 1) for t in times], low=now - _WEEK, high=now, count=56),
        ranked=ranked,
        lines=[draw_sum(entry.points, low=since or 0.0, high=newest or 0.0) for entry in ranked],
        sources=list_sources(server.lake),
        stale=_STALE,
        schedule=read_status(server.state, now=now),
        runs=server.settings.schedule,
    )


def list_sources(lake: Lake) -> Sequence[SourceState]:
    """The tables of a lake that hold events of logs, that with the newest event first."""
    snapshot = lake.snapshot()
    states = []
    for schema in snapshot.raw_tables():
        files = snapshot.data_files(schema.table)
        if schema.table in OWN_TABLES or not files:
            continue
        highs = [file.high for file in files if file.high is not None]
        last = max(highs) / 1_000_000 if highs else None
        rows = sum(file.rows for file in files)
        states.append(SourceState(schema.table.removeprefix("raw_"), rows, last))
    return sorted(states, key=lambda state: -(state.last or 0.0))
