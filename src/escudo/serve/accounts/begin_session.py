"""A name and a password -> a session, and its cookie; the log-in page, ``/api/login`` and Splunk's
``auth/login`` call it."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from escudo.core.errors import EscudoError
from escudo.serve.accounts.addresses import find_address
from escudo.serve.accounts.authenticate import Accounts, name_cookie
from escudo.serve.accounts.sessions import Session
from escudo.serve.accounts.users import User


@dataclass(frozen=True, slots=True)
class LogIn:
    """A log-in that was right. ``secret`` is for the cookie, or for ``Authorization: Splunk``;
    it counts for ``seconds``."""

    user: User
    secret: str = field(repr=False)
    session: Session
    seconds: float


def log_in(
    accounts: Accounts, request: Request, name: str, password: str, *, kind: str = "web"
) -> LogIn:
    """Opens a session; one that the request came with ends, so that nobody goes on in one that he
    was given by another.

    It takes as long as hashing a password does: call it in a thread.

    Args:
        kind: ``web`` or ``rest``.

    Raises:
        EscudoError: SRV008 after too many failures, SRV095 where name or password is not right.
    """
    user = accounts.check_password(name, password, find_address(request))
    if user is None:
        raise EscudoError("SRV095", "the name or the password is not right")
    return open_session(accounts, request, user, kind=kind)


def open_session(
    accounts: Accounts, request: Request, user: User, *, kind: str = "web", by: str = "password"
) -> LogIn:
    """Opens a session for one who has proved who he is; the audit log tells ``by`` what."""
    end_session(accounts, request)
    secret, session = accounts.sessions.open(
        user.name, kind=kind, agent=request.headers.get("user-agent", "")
    )
    accounts.audit.note("login", who=user.name, address=find_address(request), kind=kind, by=by)
    return LogIn(user, secret, session, accounts.sessions.seconds)


def end_session(accounts: Accounts, request: Request) -> bool:
    """Ends the session whose cookie a request brings; False where it brings none."""
    secret = request.cookies.get(name_cookie(request.url.scheme))
    session = None if secret is None else accounts.sessions.find(secret)
    if session is None:
        return False
    accounts.sessions.end(session.digest)
    return True


def log_out(accounts: Accounts, request: Request, response: Response) -> None:
    """Ends the session of a request, and has its browser forget it."""
    secret = request.cookies.get(name_cookie(request.url.scheme), "")
    session = accounts.sessions.find(secret)
    if session is not None:
        accounts.sessions.end(session.digest)
        accounts.audit.note("logout", who=session.user, address=find_address(request))
    encrypted = request.url.scheme == "https"
    response.delete_cookie(
        name_cookie(request.url.scheme), secure=encrypted, httponly=True, samesite="lax"
    )


def set_cookie(request: Request, response: Response, opened: LogIn) -> None:
    """Gives a browser the cookie of its session. No script reads it, no other site has it sent with
    a form, and over TLS no other host, and nobody without TLS, sets or sees it (``__Host-``)."""
    response.set_cookie(
        name_cookie(request.url.scheme),
        opened.secret,
        max_age=int(opened.seconds),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def change_password(accounts: Accounts, request: Request, name: str, old: str, new: str) -> LogIn:
    """Changes the password of who knows the old one; all his sessions end, and one begins.

    Raises:
        EscudoError: SRV003 where the new one cannot be one, or is the old one; SRV008, SRV095 as
            of ``log_in``.
    """
    address = find_address(request)
    user = accounts.check_password(name, old, address)
    if user is None:
        raise EscudoError("SRV095", "the old password is not right")
    if old == new:
        raise EscudoError("SRV003", "the new password is the old one")
    accounts.users.set_password(name, new)
    accounts.audit.note("change password", who=name, address=address, target=name)
    return open_session(accounts, request, accounts.users.read(name), by="new password")
