"""A server -> an ASGI application: every route behind the right it asks for; ``run`` serves it.

Each part of the server gives its routes. A route whose endpoint does not say what it asks for
(``permissions.asks``) stops the start: nothing is open by being forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Mount, Route

from escudo import __version__
from escudo.serve.api import (
    accounts,
    audit_log,
    description,
    detections,
    findings,
    health,
    language,
    log_in,
    me,
    saved_search_routes,
    searches,
    sources,
)
from escudo.serve.door import Door
from escudo.serve.elastic import elastic_door
from escudo.serve.failures import add_handlers
from escudo.serve.guard import Guard
from escudo.serve.hec import collector
from escudo.serve.hosts import find_hosts
from escudo.serve.pages import (
    admin,
    dashboard_pages,
    detection_pages,
    finding_queue,
    login,
    search_page,
    source_health,
    tuning,
)
from escudo.serve.pages import entities as entity_pages
from escudo.serve.pages import finding as finding_page
from escudo.serve.pages import overview as overview_page
from escudo.serve.pages.static_files import send_icon, send_static
from escudo.serve.permissions import Permission, find_permission
from escudo.serve.security_headers import SecurityHeaders
from escudo.serve.server import Server
from escudo.serve.splunk import routes as splunk_routes
from escudo.serve.splunk.paths import SplunkPaths


def make_app(server: Server) -> SecurityHeaders:
    """The application. The server is ``request.app.state.server``."""
    app = FastAPI(
        title="Escudo",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.server = server
    for router in _list_routers():
        app.router.routes.extend(router.routes)
    app.router.routes.extend(_list_routes(server))
    if server.settings.oidc is not None:  # authlib takes a quarter of a second to import
        oidc_routes = import_module("escudo.serve.oidc_routes")
        app.router.routes.extend(oidc_routes.make_routes(server, server.settings.oidc))
    guard_routes(app.router.routes, server)
    add_handlers(app)
    settings = server.settings
    door = Door(SplunkPaths(app), hosts=find_hosts(settings), most_body=settings.most_body)
    return SecurityHeaders(door, inner=app)


def _list_routers() -> Sequence[APIRouter]:
    """Routes that stand in the OpenAPI description."""
    return (
        health.router,
        me.router,
        findings.router,
        log_in.router,
        accounts.router,
        audit_log.router,
        description.router,
        detections.router,
        language.router,
        sources.router,
        searches.router,
        saved_search_routes.router,
    )


def _list_routes(server: Server) -> Iterator[BaseRoute]:
    """All others: the protocols of other programs, and pages."""
    yield Route("/static/{name}", send_static)
    yield Route("/icon.svg", send_icon)
    yield from login.router.routes
    yield from overview_page.router.routes
    yield from finding_queue.router.routes
    yield from entity_pages.router.routes
    yield from finding_page.router.routes
    yield from admin.router.routes
    yield from collector.make_routes(server)
    yield from elastic_door.make_routes(server)
    yield from tuning.router.routes
    for page in (search_page, detection_pages, source_health, dashboard_pages):
        yield from page.router.routes
    yield from splunk_routes.list_routes()


def guard_routes(routes: Sequence[BaseRoute], server: Server) -> None:
    """Puts a guard before each route.

    Raises:
        ValueError: a route that says nothing of what it asks for.
    """
    accounts = server.accounts
    for route in routes:
        if isinstance(route, Mount):
            guard_routes(route.routes, server)
        elif isinstance(route, Route):
            route.app = Guard(route.app, read_permission(route), accounts)
        else:
            raise ValueError(f"a route of a kind that nobody guards: {route!r}")


def read_permission(route: Route) -> Permission:
    """What a route asks for. Raises ValueError if it says nothing."""
    permission = find_permission(route.endpoint)
    if permission is None:
        raise ValueError(f"{route.path} does not say which right it asks for")
    return permission
