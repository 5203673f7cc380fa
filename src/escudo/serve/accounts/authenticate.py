"""A request -> who asks: by a session's cookie, or by what ``Authorization`` says; ``guard`` calls
it.

``Authorization`` is ``Splunk KEY`` (a session of Splunk's log-in, or a token), ``Bearer TOKEN`` or
``Basic NAME:PASSWORD``, as Splunk's REST takes them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import HTTPConnection

from escudo.core.errors import EscudoError
from escudo.serve.accounts.addresses import find_address
from escudo.serve.accounts.attempts import Attempts
from escudo.serve.accounts.audit import REFUSED, Audit
from escudo.serve.accounts.principal import Principal
from escudo.serve.accounts.roles import Roles
from escudo.serve.accounts.sessions import Session, Sessions
from escudo.serve.accounts.tokens import API, Token, Tokens
from escudo.serve.accounts.users import User, Users
from escudo.serve.permissions import ROLES

COOKIE = "escudo_session"
SPLUNK_COOKIES = "splunkd_"
"""How the names of the cookies begin by which splunk-sdk keeps a session."""

_MOST_REMEMBERED = 256
"""Passwords of ``Basic`` that were right and are not hashed again for each request."""


def name_cookie(scheme: str) -> str:
    """The name of the session's cookie. Over TLS browsers take one of this name from this very host
    alone (RFC 6265bis, 4.1.3.2).

    >>> name_cookie("http"), name_cookie("https")
    ('escudo_session', '__Host-escudo_session')
    """
    return f"__Host-{COOKIE}" if scheme == "https" else COOKIE


@dataclass(frozen=True)
class Accounts:
    """All that is known of who may do what. There is one of a server."""

    users: Users
    sessions: Sessions
    tokens: Tokens
    audit: Audit
    roles: Roles
    attempts: Attempts = field(default_factory=Attempts)
    _remembered: dict[bytes, str] = field(default_factory=dict, repr=False)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """Who asks; None for nobody, or one whose proof is not right.

        Raises:
            EscudoError: SRV008 for a password after too many failures.
        """
        address = find_address(connection)
        who = self._find_principal(connection, address)
        return None if who is None else replace(who, address=address)

    def _find_principal(self, connection: HTTPConnection, address: str) -> Principal | None:
        scheme, _, proof = connection.headers.get("authorization", "").partition(" ")
        proof = proof.strip()
        match scheme.lower():
            case "splunk" | "bearer":
                return self._by_session(proof, cookie=False) or self._by_token(proof)
            case "basic":
                return self._by_password(proof, address)
            case "":
                return self._by_cookies(connection.cookies, connection.url.scheme)
        return None

    def check_password(self, name: str, password: str, address: str) -> User | None:
        """The user of a name and password; None where they are not right, or he is disabled.

        A failure is counted, and stands in the audit log.

        Raises:
            EscudoError: SRV008 after too many failures.
        """
        try:
            self.attempts.check(name, address)
        except EscudoError:
            self.audit.note(
                "login", who=name, address=address, outcome=REFUSED, reason="too many failures"
            )
            raise
        user = self.users.verify(name, password)
        if user is not None:
            self.attempts.forget(name, address)
            return user
        locked = self.attempts.count_failure(name, address)
        reason = "wrong password, and locked out now" if locked else "wrong password"
        self.audit.note("login", who=name, address=address, outcome=REFUSED, reason=reason)
        return None

    def make_principal(
        self, user: User, session: Session | None = None, token: Token | None = None
    ) -> Principal:
        """A user as one who asks. A token may have fewer roles than its owner."""
        given = {} if token is None else token.settings
        roles = _narrow_roles(user.roles, given.get("roles"))
        settings = self.roles.combine(roles)
        return Principal(
            user.name,
            roles,
            indexes=settings.indexes,
            csrf=None if session is None else session.csrf,
            must_change=user.must_change,
            limits=settings.limits,
        )

    def _by_cookies(self, cookies: Mapping[str, str], scheme: str) -> Principal | None:
        secret = cookies.get(name_cookie(scheme))
        if secret is not None:
            return self._by_session(secret, cookie=True)
        keys = [value for name, value in cookies.items() if name.startswith(SPLUNK_COOKIES)]
        return self._by_session(keys[0], cookie=False) if keys else None

    def _by_session(self, secret: str, *, cookie: bool) -> Principal | None:
        session = self.sessions.find(secret)
        if session is None:
            return None
        user = self._find_user(session.user)
        return None if user is None else self.make_principal(user, session if cookie else None)

    def _by_token(self, secret: str) -> Principal | None:
        token = self.tokens.find(secret, kind=API)
        if token is None or not self.tokens.is_valid(token):
            return None
        user = self._find_user(token.owner)
        return None if user is None else self.make_principal(user, token=token)

    def _by_password(self, proof: str, address: str) -> Principal | None:
        try:
            name, _, password = base64.b64decode(proof, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        known = self._remembered.get(self._digest(proof))
        if known is not None and self.users.read_hash(name) == known:
            user = self._find_user(name)
            return None if user is None else self.make_principal(user)
        user = self.check_password(name, password, address)
        if user is None:
            return None
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        digest = self.users.read_hash(name)
        if digest is not None:
            self._remembered[self._digest(proof)] = digest
        return self.make_principal(user)

    def _digest(self, proof: str) -> bytes:
        """What is kept of a password that was right: nobody learns it from this process' memory
        without its key, and nothing is kept on a disk."""
        return hmac.new(self._key, proof.encode(), hashlib.sha256).digest()

    def _find_user(self, name: str) -> User | None:
        try:
            user = self.users.read(name)
        except EscudoError:
            return None
        return None if user.disabled is not None else user


def _narrow_roles(held: tuple[str, ...], asked: Any) -> tuple[str, ...]:
    """Of the roles that a token is to have, those whose rights its owner has (still)."""
    if not asked:
        return held
    rights = {right for role in held for right in ROLES.get(role, ())}
    return tuple(role for role in asked if role in ROLES and ROLES[role] <= rights)
