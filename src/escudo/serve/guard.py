"""A route, the right that it asks for -> the same route for those who have it; ``app`` puts one
before every route.

Who comes by a cookie is asked, for all that changes something, for the CSRF token of his session
(in the header ``X-CSRF-Token``, or ``X-Splunk-Form-Key`` as Splunk Web's scripts send it,
or the form's field ``csrf_token``): another site can make his browser send the cookie, but cannot
read the token.
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from escudo.serve.accounts.addresses import find_address as find_address
from escudo.serve.accounts.audit import REFUSED
from escudo.serve.accounts.authenticate import Accounts
from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""

_HEADERS = ("x-csrf-token", "x-splunk-form-key")
_FIELD = "csrf_token"
_MOST_FORM = 1 << 20
"""Bytes of a form that are looked through for the token; larger uploads give it in the header."""

FOR_PROGRAMS = ("/services", "/servicesNS", "/api", "/_bulk", "/metrics")
"""How paths begin that programs ask for, which are told so in JSON or XML, not led to a page."""

LOGIN, PASSWORD = "/login", "/password"

_BEFORE_ALL = frozenset({PASSWORD, "/api/password", "/logout", "/api/logout", "/api/me"})
"""Paths for one whose first password is to be changed."""

_LOGINS = frozenset({LOGIN, "/api/login"})
"""Paths that begin a session: the token of the one before is not asked for."""


class Guard:
    """Stands before one route."""

    def __init__(self, route: ASGIApp, permission: Permission, accounts: Accounts) -> None:
        self.route = route
        self.permission = permission
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        # Who has to be nobody is not looked for, unless his browser says who he is: a post of a
        # shipper is not to cost looks at the state, or the hash of a password.
        looked_for = self.permission is not Permission.ANYBODY or (
            "authorization" not in request.headers
        )
        who = await run_in_threadpool(self._accounts.authenticate, request) if looked_for else None
        scope["principal"] = who
        if self.permission is not Permission.ANYBODY:
            refusal = await run_in_threadpool(self._refuse, request, who)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        changes = request.method not in SAFE and request.url.path not in _LOGINS
        if who is not None and who.csrf is not None and changes:
            body, receive = await _peek_form(request, receive)
            if not _brings_token(request, body, who.csrf):
                answer = _deny(request, 403, "the form has expired: load the page again")
                await answer(scope, receive, send)
                return
        await self.route(scope, receive, send)

    def _refuse(self, request: Request, who: Principal | None) -> Response | None:
        if who is None:
            return _ask_to_log_in(request)
        if who.must_change and request.url.path not in _BEFORE_ALL:
            if _is_for_programs(request):
                return _deny(request, 403, "the first password is to be changed at /password")
            return RedirectResponse(PASSWORD, 303)
        if who.may(self.permission):
            return None
        self._accounts.audit.note(
            "access",
            who=who.name,
            address=find_address(request),
            target=f"{request.method} {request.url.path}",
            outcome=REFUSED,
            asked=self.permission.value,
        )
        return _deny(request, 403, f"this needs the right to {self.permission.value}")


def _is_for_programs(request: Request) -> bool:
    return request.url.path.startswith(FOR_PROGRAMS)


def _ask_to_log_in(request: Request) -> Response:
    if _is_for_programs(request):
        answer = _deny(request, 401, "call not properly authenticated")
        answer.headers["WWW-Authenticate"] = 'Basic realm="/splunk"'
        return answer
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": LOGIN})
    if request.method not in SAFE:
        return RedirectResponse(LOGIN, 303)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(LOGIN if target == "/" else f"{LOGIN}?next={quote(target)}", 303)


def _deny(request: Request, status: int, text: str) -> Response:
    """A refusal in the form that Splunk's clients read (``messages``); ``app`` makes a page of one
    that is for people."""
    if request.url.path.startswith("/services") and (
        request.query_params.get("output_mode") != "json"
    ):
        level = "WARN" if status == 401 else "ERROR"
        xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<response><messages><msg type="{level}">'
        xml += f"{text}</msg></messages></response>"
        return Response(xml, status, media_type="text/xml")
    if not _is_for_programs(request):
        raise HTTPException(status, f"{text[0].upper()}{text[1:]}.")
    return JSONResponse({"messages": [{"type": "ERROR", "text": text}]}, status)


async def _peek_form(request: Request, receive: Receive) -> tuple[bytes, Receive]:
    """The body of a small form, and a ``receive`` that gives it again."""
    kind = request.headers.get("content-type", "")
    if any(request.headers.get(name) for name in _HEADERS):
        return b"", receive
    if not kind.startswith("application/x-www-form-urlencoded"):
        return b"", receive
    messages: list[Message] = []
    body = b""
    while len(body) <= _MOST_FORM:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return body, replay


def _brings_token(request: Request, body: bytes, token: str) -> bool:
    given = next((request.headers[name] for name in _HEADERS if name in request.headers), None)
    if given is None and body:
        given = parse_qs(body.decode(errors="replace")).get(_FIELD, [""])[0]
    return given is not None and hmac.compare_digest(given.encode(), token.encode())
