"""Every route, asked by every role and by nobody: it is reached by those who have its right, and
the others are answered 401, 403, or led to the log-in."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from escudo.serve.app import guard_routes
from escudo.serve.guard import FOR_PROGRAMS, SAFE
from escudo.serve.permissions import ROLES, Permission, asks
from escudo.serve.route_table import GuardedRoute, list_guarded
from escudo.serve.server import Server
from tests.serve.in_process import open_app
from tests.serve.running import RunningServer

pytestmark = pytest.mark.slow

REACHED = 299
"""The status of the probe that stands in for every route's endpoint."""

SHOWN_TO_ANYBODY = frozenset(
    {
        ("GET", "/api/health"),
        ("POST", "/api/login"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/static/{name}"),
        ("GET", "/icon.svg"),
    }
)
"""Routes of Escudo's own that need no log-in: each is here on purpose. Those of senders, who bring
a token of HEC, and of Splunk's clients before their log-in are in ``OF_OTHERS``."""

OF_OTHERS = re.compile(
    r"/services/collector(/(event|raw|ack|health)(/1\.0)?)?"
    r"|/services(NS/\{owner\}/\{app\})?/auth/login/?"
    r"|(/elastic)?/(_license|_xpack|_cluster/health|_nodes/ingest|_bulk|\{index\}/_bulk)"
    r"|(/elastic)?/(_index_template|_component_template|_template|_ilm/policy)/\{name:path\}"
    r"|(/elastic)?/(_data_stream|_alias|_ingest/pipeline)/\{name:path\}"
    r"|/elastic(/|/\{index\})?|/oidc/(login|callback)"
)


class Served(NamedTuple):
    routes: list[GuardedRoute]
    client: TestClient
    server: Server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application, with a probe in place of what each route does."""

    async def answer(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await Response(status_code=REACHED)(scope, receive, send)

    with open_app(tmp_path_factory.mktemp("matrix")) as (app, server):
        for role in ROLES:
            server.accounts.users.add(role, "a sentence for tests", [role])
        routes = list(list_guarded(app.inner.routes))
        for route in routes:
            route.guard.route = answer
        yield Served(routes, TestClient(app, follow_redirects=False), server)


def ask(served: Served, route: GuardedRoute, headers: dict[str, str]) -> httpx.Response:
    path = re.sub(r"\{[^}]*\}", "1", route.path)
    served.client.cookies.clear()
    return served.client.request(route.method, path, headers=headers)


def test_each_route_is_reached_by_those_who_have_its_right(served: Served) -> None:
    wrong = []
    assert len(served.routes) > 20
    for role in ROLES:
        proof = base64.b64encode(f"{role}:a sentence for tests".encode()).decode()
        for route in served.routes:
            status = ask(served, route, {"Authorization": f"Basic {proof}"}).status_code
            expected = REACHED if role in route.roles else 403
            if status != expected:
                wrong.append((role, route.method, route.path, status, expected))
    assert wrong == []


def test_nobody_reaches_what_is_not_for_anybody(served: Served) -> None:
    wrong = []
    for route in served.routes:
        status = ask(served, route, {}).status_code
        refused = 401 if route.path.startswith(FOR_PROGRAMS) else 303
        expected = REACHED if route.permission is Permission.ANYBODY else refused
        if status != expected:
            wrong.append((route.method, route.path, status, expected))
    assert wrong == []


def test_what_anybody_reaches_is_there_on_purpose(served: Served) -> None:
    open_routes = {
        (route.method, route.path)
        for route in served.routes
        if route.permission is Permission.ANYBODY and not OF_OTHERS.fullmatch(route.path)
    }
    assert open_routes == SHOWN_TO_ANYBODY


def test_a_cookie_alone_changes_nothing(served: Served) -> None:
    """Each route that changes something asks who comes by a cookie for the token, too."""
    wrong = []
    secret, session = served.server.accounts.sessions.open("admin")
    for route in served.routes:
        cookie = {"Cookie": f"escudo_session={secret}"}
        bare = ask(served, route, cookie).status_code
        full = ask(served, route, {**cookie, "X-CSRF-Token": session.csrf}).status_code
        free = route.method in SAFE or route.path in ("/login", "/api/login")
        if (bare, full) != (REACHED if free else 403, REACHED):
            wrong.append((route.method, route.path, bare, full))
    assert wrong == []


@pytest.mark.parametrize("ends", ["session", "user", "role"])
def test_what_has_ended_reaches_nothing(served: Served, ends: str) -> None:
    accounts = served.server.accounts
    name = f"former-{ends}"
    accounts.users.add(name, "a sentence for tests", ["admin"])
    secret, session = accounts.sessions.open(name)
    if ends == "session":
        accounts.sessions.end(session.digest)
    elif ends == "user":
        accounts.users.remove(name)
    else:
        accounts.users.set_roles(name, ["viewer"])
    for route in served.routes:
        allowed = ends == "role" and "viewer" in route.roles
        if route.permission is not Permission.ANYBODY and not allowed:
            headers = {"Authorization": f"Splunk {secret}"}
            assert ask(served, route, headers).status_code in (303, 401, 403), route


def test_a_route_that_asks_for_nothing_stops_the_start(served: Served) -> None:
    async def forgotten(request: object) -> Response:
        return Response()

    with pytest.raises(ValueError, match="/forgotten"):
        guard_routes(Starlette(routes=[Route("/forgotten", forgotten)]).routes, served.server)
    asks(Permission.READ)(forgotten)
    guard_routes([Route("/forgotten", forgotten)], served.server)


def test_doors_of_senders_ask_for_a_token_themselves(server: RunningServer) -> None:
    """Nothing of them is done for who brings none, or one that nobody was given."""
    wrong = "00000000-0000-0000-0000-000000000000"
    for path in (
        *("/services/collector", "/services/collector/raw", "/services/collector/ack"),
        *("/_bulk", "/elastic/_bulk", "/elastic/main/_bulk", "/main/_bulk"),
    ):
        for headers in ({}, {"Authorization": f"Splunk {wrong}"}, {"Authorization": "ApiKey YQ=="}):
            answer = httpx.post(f"{server.url}{path}", headers=headers, content=b'{"event":"a"}')
            assert answer.status_code in (401, 403), (path, headers)
