"""The settings of a provider -> the two routes of its log-in; ``app`` adds them.

What is between the two requests (state, nonce, PKCE's verifier) is in a cookie of its own, signed
by a key of this process, for ten minutes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from escudo.core.errors import EscudoError
from escudo.serve.accounts.addresses import find_address
from escudo.serve.accounts.audit import REFUSED
from escudo.serve.accounts.authenticate import Accounts
from escudo.serve.accounts.begin_session import open_session, set_cookie
from escudo.serve.accounts.oidc import PROVIDER, OidcSettings, OidcUsers
from escudo.serve.accounts.users import User
from escudo.serve.pages.login import choose_target
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

BEGIN, CALLBACK = "/oidc/login", "/oidc/callback"
_COOKIE = "escudo_oidc"
_SECONDS = 600
_TIMEOUT = 20.0


def make_routes(server: Server, settings: OidcSettings) -> Sequence[Route]:
    """The route that leads to the provider, and the one that it leads back to."""
    client = _make_client(settings)
    issuer = settings.issuer.rstrip("/")
    issued = {"iss": {"essential": True, "values": [issuer, f"{issuer}/"]}}
    users = OidcUsers(settings, server.accounts.users, server.configuration)

    @asks(Permission.ANYBODY)
    async def begin(request: Request) -> Response:
        request.session["next"] = choose_target(request.query_params.get("next", "/"))
        back = str(request.url_for("oidc_callback"))
        try:
            answer: Response = await client.authorize_redirect(request, back)
        except (httpx.HTTPError, AuthlibBaseError, ValueError, KeyError) as error:
            raise await _refuse(request, f"the provider does not answer: {error!r}") from error
        return answer

    @asks(Permission.ANYBODY)
    async def finish(request: Request) -> Response:
        target = str(request.session.pop("next", "/"))
        try:
            given = await client.authorize_access_token(request, claims_options=issued)
        except (
            httpx.HTTPError,
            AuthlibBaseError,
            JoseError,
            ValueError,
            KeyError,
            TypeError,
            RuntimeError,
        ) as error:
            raise await _refuse(request, f"{type(error).__name__}: {error}") from error
        claims = given.get("userinfo")
        if claims is None:
            raise await _refuse(request, "the provider gave no token of identity")
        return await run_in_threadpool(_let_in, request, users, dict(claims), target)

    middleware = [
        Middleware(
            SessionMiddleware,
            secret_key=secrets.token_urlsafe(32),
            session_cookie=_COOKIE,
            max_age=_SECONDS,
            path="/oidc",
            same_site="lax",
            https_only=server.settings.encrypted,
        )
    ]
    return (
        Route(BEGIN, begin, name="oidc_login", middleware=middleware),
        Route(CALLBACK, finish, name="oidc_callback", middleware=middleware),
    )


def _make_client(settings: OidcSettings) -> Any:
    metadata = settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
    return OAuth().register(
        PROVIDER,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=metadata,
        client_kwargs={
            "scope": " ".join(settings.scopes),
            "code_challenge_method": "S256",
            "timeout": _TIMEOUT,
        },
    )


def _let_in(request: Request, users: OidcUsers, claims: dict[str, object], target: str) -> Response:
    accounts: Accounts = request.app.state.server.accounts
    try:
        user: User = users.admit(claims)
    except EscudoError as error:
        _note(request, str(claims.get(users.settings.user_claim, "")), error.diagnostic.message)
        raise
    opened = open_session(accounts, request, user, by=PROVIDER)
    answer = RedirectResponse(choose_target(target), 303)
    set_cookie(request, answer, opened)
    return answer


async def _refuse(request: Request, reason: str) -> EscudoError:
    """What to raise; why is told to administrators alone."""
    await run_in_threadpool(_note, request, "", reason)
    return EscudoError("SRV093", "the provider's log-in failed")


def _note(request: Request, who: str, reason: str) -> None:
    accounts: Accounts = request.app.state.server.accounts
    accounts.audit.note(
        "login",
        who=who,
        address=find_address(request),
        outcome=REFUSED,
        by=PROVIDER,
        reason=reason[:400],
    )
