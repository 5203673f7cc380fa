"""A provider of OpenID Connect -> who logs in here; the routes of ``serve.oidc_routes`` call it.

The flow is that of the authorization code with PKCE (RFC 7636), a state and a nonce; authlib does
it. The settings are a file (``escudo serve --oidc FILE``)::

    issuer = "https://login.example.org"
    client_id = "escudo"
    client_secret_file = "/etc/escudo/oidc.secret"   # or the variable ESCUDO_OIDC_SECRET
    name = "Example SSO"                             # what the log-in page calls it
    user_claim = "preferred_username"
    roles_claim = "groups"

    [roles]                                          # group -> role
    "soc" = "analyst"
    "soc-leads" = "admin"

Who is in no group of these is not let in, unless ``default_role`` names a role.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from escudo.core.errors import EscudoError
from escudo.serve.accounts.users import User, Users
from escudo.serve.configuration import Configuration
from escudo.serve.permissions import ROLES

PROVIDER = "oidc"
"""The provider of users who log in this way."""

VARIABLE = "ESCUDO_OIDC_SECRET"

SUBJECTS = "oidc subject"
"""The kind of the settings that say which user a subject is."""

_TEXTS = ("issuer", "client_id", "client_secret_file", "name", "user_claim", "roles_claim")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True, slots=True)
class OidcSettings:
    """A provider, and who of it may do what here. ``roles`` maps values of a claim to roles."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "single sign-on"
    user_claim: str = "preferred_username"
    roles_claim: str = "groups"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    roles: Mapping[str, str] = field(default_factory=dict)
    default_role: str | None = None

    def find_roles(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        """The roles of one with these claims, in the order of ``ROLES``.

        >>> settings = OidcSettings(issuer="", client_id="", client_secret="",
        ...                         roles={"soc": "analyst"})
        >>> settings.find_roles({"groups": ["soc", "staff"]}), settings.find_roles({})
        (('analyst',), ())
        """
        given = claims.get(self.roles_claim)
        groups = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        mapped = {self.roles[group] for group in groups if group in self.roles}
        if not mapped and self.default_role is not None:
            mapped = {self.default_role}
        return tuple(role for role in ROLES if role in mapped)


def read_oidc(path: Path, environment: Mapping[str, str]) -> OidcSettings:
    """The settings in a file.

    Raises:
        EscudoError: SRV092 for a file, a key or a value that cannot be, and without a secret.
    """
    table = _read_table(path)
    for key, value in table.items():
        _check_key(path, key, value)
    for key in ("issuer", "client_id"):
        if key not in table:
            raise EscudoError("SRV092", f"{path}: {key} is missing")
    place = urlsplit(table["issuer"])
    if place.scheme != "https" and place.hostname not in _LOOPBACK:
        raise EscudoError("SRV092", f"{path}: issuer must be an address of https")
    secret_file = table.pop("client_secret_file", None)
    secret = environment.get(VARIABLE) or (secret_file and _read_secret(path, secret_file)) or ""
    if not secret:
        raise EscudoError("SRV092", f"{path}: give client_secret_file, or ${VARIABLE}")
    scopes = tuple(table.pop("scopes", ("openid", "profile", "email")))
    return OidcSettings(client_secret=secret, scopes=scopes, **table)


def _read_table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EscudoError("SRV092", f"{path}: {error}") from error


def _check_key(path: Path, key: str, value: object) -> None:
    match key:
        case "scopes":
            right = isinstance(value, list) and "openid" in value
        case "roles":
            right = isinstance(value, dict) and all(role in ROLES for role in value.values())
        case "default_role":
            right = value in ROLES
        case _ if key in _TEXTS:
            right = isinstance(value, str) and bool(value)
        case _:
            known = ", ".join((*_TEXTS, "scopes", "roles", "default_role"))
            raise EscudoError("SRV092", f"{path}: {key!r} is none of {known}")
    if not right:
        raise EscudoError("SRV092", f"{path}: {key} cannot be {value!r}")


def _read_secret(path: Path, secret_file: str) -> str:
    place = path.parent / secret_file
    try:
        return place.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise EscudoError("SRV092", f"{place}: {error}") from error


@dataclass(frozen=True, slots=True)
class OidcUsers:
    """The users of a provider, in the users of a state."""

    settings: OidcSettings
    users: Users
    configuration: Configuration

    def admit(self, claims: Mapping[str, Any]) -> User:
        """The user of one whom the provider knows by these claims; he is made when he first comes,
        and has the roles that the claims give him now.

        A subject stays the user that it was first; no name that the provider gives takes over
        another's user, least of all one who has a password here.

        Raises:
            EscudoError: SRV093 where he has no role, no name that can be one here, or a name that
                is another's, or is disabled.
        """
        roles = self.settings.find_roles(claims)
        name = claims.get(self.settings.user_claim)
        subject = claims.get("sub")
        if not isinstance(name, str) or not isinstance(subject, str) or not subject:
            raise EscudoError("SRV093", f"the provider gives no {self.settings.user_claim}")
        if not roles:
            raise EscudoError("SRV093", f"{name!r} is in no group that has a role here")
        known = self._find(subject)
        if known is None:
            user = self._make(name, roles, claims)
            self.configuration.put(SUBJECTS, self._key(subject), {"user": user.name})
            return user
        user = self.users.read(known)
        if user.disabled is not None or user.provider != PROVIDER:
            raise EscudoError("SRV093", f"{known!r} is disabled here")
        if user.roles != roles:
            self.users.set_roles(known, roles)
        return self.users.read(known)

    def _make(self, name: str, roles: tuple[str, ...], claims: Mapping[str, Any]) -> User:
        full_name = claims.get("name")
        try:
            return self.users.add(
                name,
                None,
                roles,
                full_name=full_name[:200] if isinstance(full_name, str) else "",
                provider=PROVIDER,
            )
        except EscudoError as error:
            raise EscudoError("SRV093", error.diagnostic.message) from error

    def _key(self, subject: str) -> str:
        """One subject of one issuer; subjects may be long."""
        text = json.dumps([self.settings.issuer, subject])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def _find(self, subject: str) -> str | None:
        kept = self.configuration.find(SUBJECTS, self._key(subject))
        if kept is None:
            return None
        name = kept.value["user"]
        return name if any(user.name == name for user in self.users.list()) else None
