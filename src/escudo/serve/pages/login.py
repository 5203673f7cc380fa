"""Logging in and out, and changing one's password: forms, and what is done with them."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from escudo.core.errors import EscudoError
from escudo.serve.accounts import begin_session
from escudo.serve.accounts.begin_session import LogIn, set_cookie
from escudo.serve.accounts.principal import Principal
from escudo.serve.accounts.users import LOCAL, SHORTEST
from escudo.serve.guard import LOGIN, PASSWORD
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(include_in_schema=False)

_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path of this server: ``//host`` and ``/\\host`` are addresses of others to a browser."""

_LOCKED = "Too many log-ins have failed. Wait a quarter of an hour, then try again."
_WRONG = "That name and password do not belong together."


def lead_on(request: Request, opened: LogIn, target: str) -> Response:
    """A redirect that brings the cookie of a session that has been opened."""
    answer = RedirectResponse(choose_target(target), 303)
    set_cookie(request, answer, opened)
    return answer


def choose_target(asked: str) -> str:
    """Where somebody is sent after the log-in: to what he asked for, if it is of this server.

    >>> choose_target("/findings?status=new"), choose_target("//evil.example/")
    ('/findings?status=new', '/')
    """
    return asked if _OWN_PATH.fullmatch(asked) else "/"


@router.get(LOGIN)
@asks(Permission.ANYBODY)
def show_login(request: Request, next: str = "/") -> Response:
    """The form; who is logged in already is sent on."""
    if request.scope["principal"] is not None:
        return RedirectResponse(choose_target(next), 303)
    return _ask(request, next)


@router.post(LOGIN)
@asks(Permission.ANYBODY)
def log_in(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Opens a session where the password is right."""
    accounts = request.app.state.server.accounts
    try:
        opened = begin_session.log_in(accounts, request, name.strip(), password)
    except EscudoError as error:
        if error.code == "SRV008":
            return _ask(request, next, _LOCKED, name=name, status=429)
        return _ask(request, next, _WRONG, name=name, status=401)
    return lead_on(request, opened, PASSWORD if opened.user.must_change else next)


def _ask(
    request: Request, target: str, problem: str = "", *, name: str = "", status: int = 200
) -> Response:
    server: Server = request.app.state.server
    oidc = server.settings.oidc
    return render(
        request,
        "login.html",
        provider=None if oidc is None else oidc.name,
        status=status,
        next=choose_target(target),
        problem=problem,
        name=name,
    )


@router.post("/logout")
@asks(Permission.KNOWN)
def log_out(request: Request) -> Response:
    """Ends the session."""
    answer = RedirectResponse(LOGIN, 303)
    begin_session.log_out(request.app.state.server.accounts, request, answer)
    return answer


@router.get(PASSWORD)
@asks(Permission.KNOWN)
def show_password(request: Request) -> Response:
    """The form to change one's password."""
    return render(request, "password.html", problem="", shortest=SHORTEST)


@router.post(PASSWORD)
@asks(Permission.KNOWN)
def change_password(
    request: Request,
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Changes it, where the one so far is right; other sessions end, a new one begins."""
    accounts = request.app.state.server.accounts
    who: Principal = request.scope["principal"]
    if accounts.users.read(who.name).provider != LOCAL:
        problem = "Your password is not kept here, but where you log in."
    elif new != again:
        problem = "The two new passwords are not the same."
    else:
        try:
            opened = begin_session.change_password(accounts, request, who.name, current, new)
        except EscudoError as error:
            problem = error.diagnostic.message[:1].upper() + error.diagnostic.message[1:] + "."
        else:
            return lead_on(request, opened, "/")
    return render(request, "password.html", status=400, problem=problem, shortest=SHORTEST)
