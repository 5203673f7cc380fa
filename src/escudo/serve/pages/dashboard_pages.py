"""The pages of dashboards: the list, one with its panels, and the forms that change them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from escudo.serve.accounts.principal import Principal
from escudo.serve.dashboards import SHAPES, Dashboard, Dashboards, Panel
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=100_000)]
Short = Annotated[str, Form(max_length=400)]


@router.get("/dashboards")
@asks(Permission.SEARCH)
def show_dashboards(request: Request) -> Response:
    """The list."""
    return render(request, "dashboards.html", dashboards=_open(request).list())


@router.post("/dashboards")
@asks(Permission.SEARCH)
def make_dashboard(request: Request, name: Short = "", about: Short = "") -> Response:
    """Makes an empty one."""
    who: Principal = request.scope["principal"]
    made = _open(request).add(Dashboard(name=name, owner=who.name, about=about.strip()))
    return _go_to(made.name)


@router.get("/dashboards/{name}")
@asks(Permission.SEARCH)
def show_dashboard(request: Request, name: str) -> Response:
    """One with its panels, each of which runs its search."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    dashboard = _open(request).find(name)
    zone = str(server.settings.zone)
    return render(
        request,
        "dashboard_panels.html",
        dashboard=dashboard,
        panels=[(panel, {"panel": asdict(panel), "zone": zone}) for panel in dashboard.panels],
        mine=_may_change(dashboard, who),
        saved=server.saved_searches.list(who.name),
        shapes=SHAPES,
    )


@router.post("/dashboards/{name}/panels")
@asks(Permission.SEARCH)
def add_panel(
    request: Request,
    name: str,
    title: Short = "",
    saved: Short = "",
    search: Text = "",
    earliest: Short = "",
    latest: Short = "",
    show: Short = "auto",
    wide: Short = "",
) -> Response:
    """Adds a panel of a saved search, or of one that is typed."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    _require(request, name)
    if saved:
        kept = server.saved_searches.find(who.name, saved)
        title = title.strip() or kept.name
        search = kept.search
        earliest = kept.settings.get("dispatch.earliest_time", "")
        latest = kept.settings.get("dispatch.latest_time", "")
    panel = Panel(
        title=title.strip() or "Untitled",
        search=search.strip(),
        earliest=earliest.strip(),
        latest=latest.strip(),
        show=show,
        wide=bool(wide),
    )
    return _go_to(_open(request).add_panel(name, panel).name)


@router.post("/dashboards/{name}/panels/{number}/remove")
@asks(Permission.SEARCH)
def remove_panel(request: Request, name: str, number: int) -> Response:
    """Takes a panel away."""
    _require(request, name)
    return _go_to(_open(request).remove_panel(name, max(0, number)).name)


@router.post("/dashboards/{name}/remove")
@asks(Permission.SEARCH)
def remove_dashboard(request: Request, name: str) -> Response:
    """Takes a dashboard away."""
    _require(request, name)
    _open(request).remove(name)
    return RedirectResponse("/dashboards", 303)


def _open(request: Request) -> Dashboards:
    server: Server = request.app.state.server
    return Dashboards(server.state, clock=server.clock.now)


def _may_change(dashboard: Dashboard, who: Principal) -> bool:
    return dashboard.owner == who.name or who.may(Permission.TUNE)


def _require(request: Request, name: str) -> None:
    if not _may_change(_open(request).find(name), request.scope["principal"]):
        raise HTTPException(403, "This dashboard is somebody else's.")


def _go_to(name: str) -> Response:
    return RedirectResponse(f"/dashboards/{quote(name, safe='')}", 303)
