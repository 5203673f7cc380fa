"""Risk, and hosts and users: who has most of it, and all that is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from escudo.actions.entities import KINDS, find_newest_risk, rank_objects, read_entity
from escudo.actions.triage import open_queue
from escudo.core.timerange import TimeRange
from escudo.serve.pages.charts import draw_bars, draw_sum
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server
from escudo.triage.queue import FindingFilter

router = APIRouter(include_in_schema=False)

PERIODS: Mapping[str, tuple[str, float | None]] = {
    "24h": ("24 hours", 86400.0),
    "7d": ("7 days", 7 * 86400.0),
    "30d": ("30 days", 30 * 86400.0),
    "all": ("All time", None),
}
_USUAL = "7d"
_AROUND = 1800.0
"""Seconds before and after a moment that somebody looks at."""

_MOST = 100
_MOST_ACTIVITY = 60


@router.get("/risk")
@asks(Permission.READ)
def show_risk(request: Request, period: str = _USUAL, kind: str = "", part: str = "") -> Response:
    """Who has gained most risk in a period that ends with the newest risk event."""
    server: Server = request.app.state.server
    workspace = server.make_workspace_of(request.scope["principal"])
    period = period if period in PERIODS else _USUAL
    newest = find_newest_risk(workspace)
    seconds = PERIODS[period][1]
    since = None if newest is None or seconds is None else newest - seconds
    ranked = rank_objects(
        workspace, since=since, kind=kind if kind in KINDS else None, part=part, most=_MOST
    )
    times = [time for entry in ranked for time, _ in entry.points]
    low = since if since is not None else min(times, default=0.0)
    high = newest or 0.0
    return render(
        request,
        "risk.html",
        ranked=ranked,
        lines=[draw_sum(entry.points, low=low, high=high) for entry in ranked],
        top=max((entry.score for entry in ranked), default=0.0),
        newest=newest,
        low=low,
        high=high,
        period=period,
        periods=PERIODS,
        kind=kind if kind in KINDS else "",
        part=part,
    )


@router.get("/entities")
@asks(Permission.READ)
def find_entity(request: Request, kind: str = "host", name: str = "") -> Response:
    """Asks for a host or a user, and shows those with risk."""
    server: Server = request.app.state.server
    if name.strip() and kind in KINDS:
        return RedirectResponse(f"/entities/{kind}/{quote(name.strip(), safe='')}", 303)
    ranked = rank_objects(server.make_workspace_of(request.scope["principal"]), most=_MOST)
    return render(request, "entities.html", ranked=ranked)


@router.get("/entities/{kind}/{name:path}")
@asks(Permission.READ)
def show_entity(request: Request, kind: str, name: str, at: float | None = None) -> Response:
    """All that is known of one. ``at``: what it did around a moment, in epoch seconds."""
    server: Server = request.app.state.server
    if kind not in KINDS:
        raise HTTPException(404)
    workspace = server.make_workspace_of(request.scope["principal"])
    if at is not None:
        workspace = replace(workspace, within=TimeRange(at - _AROUND, at + _AROUND))
    entity = read_entity(workspace, kind, name, most=_MOST_ACTIVITY)
    queue = open_queue(workspace, server.triage)
    page = queue.list_page(FindingFilter(status=(), entity=name), sort="newest", count=20)
    times = [event.time for event in entity.risk]
    low, high = min(times, default=0.0), max(times, default=0.0)
    pad = max(60.0, (high - low) * 0.02)
    chart = draw_bars(
        [(event.time, event.score) for event in entity.risk],
        low=low - pad,
        high=high + pad,
    )
    return render(
        request,
        "entity.html",
        entity=entity,
        page=page,
        chart=chart,
        at=at,
        most=_MOST_ACTIVITY,
    )
