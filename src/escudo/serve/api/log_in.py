"""Log-in and log-out for programs and for pages, and the change of one's password, in JSON."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr

from escudo.serve.accounts.begin_session import LogIn, change_password, log_in, log_out, set_cookie
from escudo.serve.accounts.principal import Principal
from escudo.serve.accounts.users import LONGEST
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(prefix="/api", tags=["accounts"])


class Credentials(BaseModel):
    """A name and a password."""

    name: str = Field(max_length=200)
    password: SecretStr = Field(max_length=LONGEST)


class PasswordChange(BaseModel):
    """The password that one has, and that one wants."""

    old: SecretStr = Field(max_length=LONGEST)
    new: SecretStr = Field(max_length=LONGEST)


class LoggedIn(BaseModel):
    """Whose session the cookie is. ``csrf`` goes into the header ``X-CSRF-Token`` of all requests
    that change something; ``must_change``: the password is to be changed first."""

    name: str
    csrf: str
    must_change: bool


@router.post("/login")
@asks(Permission.ANYBODY)
def begin_session(request: Request, response: Response, given: Credentials) -> LoggedIn:
    """Opens a session; its secret is in the cookie."""
    server: Server = request.app.state.server
    opened = log_in(server.accounts, request, given.name, given.password.get_secret_value())
    return _answer(request, response, opened)


@router.post("/logout", status_code=204)
@asks(Permission.KNOWN)
def close_session(request: Request, response: Response) -> None:
    """Ends the session of the cookie."""
    server: Server = request.app.state.server
    log_out(server.accounts, request, response)


@router.post("/password")
@asks(Permission.KNOWN)
def change_own_password(request: Request, response: Response, given: PasswordChange) -> LoggedIn:
    """Changes one's own password; all one's sessions end, and a new one begins."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    opened = change_password(
        server.accounts,
        request,
        who.name,
        given.old.get_secret_value(),
        given.new.get_secret_value(),
    )
    return _answer(request, response, opened)


def _answer(request: Request, response: Response, opened: LogIn) -> LoggedIn:
    set_cookie(request, response, opened)
    return LoggedIn(
        name=opened.user.name, csrf=opened.session.csrf, must_change=opened.user.must_change
    )
