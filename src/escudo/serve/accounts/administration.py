"""What an administrator does to users, tokens and roles, each act in the audit log; the API, the
pages and the command line call it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from escudo.core.errors import EscudoError
from escudo.serve.accounts.addresses import find_address
from escudo.serve.accounts.authenticate import Accounts
from escudo.serve.accounts.principal import Principal
from escudo.serve.accounts.roles import RoleSettings
from escudo.serve.accounts.tokens import API, Token
from escudo.serve.accounts.users import User
from escudo.serve.permissions import ROLES, Permission

_DAY = 86_400
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Administration:
    """Acts of ``who``, from ``address``. Each raises what ``Users``, ``Tokens`` or ``Roles`` do."""

    accounts: Accounts
    who: str
    address: str = ""

    @classmethod
    def of(cls, request: Request) -> Administration:
        """Acts of who sent a request."""
        who: Principal = request.scope["principal"]
        accounts: Accounts = request.app.state.server.accounts
        return cls(accounts, who.name, find_address(request))

    def add_user(
        self, name: str, roles: Sequence[str], *, full_name: str = "", password: str | None = None
    ) -> tuple[User, str | None]:
        """Makes a user, who has to change his password at once; gives the password too, where none
        was given and one was made."""
        made = secrets.token_urlsafe(18) if password is None else None
        user = self.accounts.users.add(
            name, password or made, roles, full_name=full_name, must_change=True
        )
        self._note("add user", name, roles=list(roles))
        return user, made

    def change_user(
        self,
        name: str,
        *,
        roles: Sequence[str] | None = None,
        full_name: str | None = None,
        disabled: bool | None = None,
        password: str | None = None,
    ) -> User:
        """Changes what is given; gives the user as he is then."""
        users = self.accounts.users
        before = users.read(name)
        if password is not None:
            users.set_password(name, password, must_change=name != self.who)
            self._note("set password", name)
        if roles is not None and tuple(roles) != before.roles:
            users.set_roles(name, roles)
            self._note("change roles", name, before=list(before.roles), after=list(roles))
        if full_name is not None and full_name != before.full_name:
            users.set_full_name(name, full_name)
            self._note("change user", name, full_name=full_name)
        if disabled is not None and disabled is not (before.disabled is not None):
            users.disable(name, disabled=disabled)
            self._note("disable user" if disabled else "enable user", name)
        return users.read(name)

    def make_password(self, name: str) -> str:
        """Gives a user a password that is made, which he has to change at once; gives it."""
        made = secrets.token_urlsafe(18)
        self.accounts.users.set_password(name, made, must_change=True)
        self._note("set password", name)
        return made

    def remove_user(self, name: str) -> None:
        self.accounts.users.remove(name)
        self._note("remove user", name)

    def add_token(
        self,
        name: str,
        *,
        kind: str,
        owner: str | None = None,
        days: float | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> tuple[str, Token]:
        """Makes a token; gives its secret, too. ``days``: how long it counts."""
        if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
            raise EscudoError("SRV005", f"{name!r} cannot be the name of a token")
        owner = owner or self.who
        user = self.accounts.users.read(owner)
        settings = dict(settings or {})
        if kind == API:
            _check_token_roles(user, settings.get("roles"))
        now = self.accounts.tokens.now()
        secret, token = self.accounts.tokens.add(
            name,
            kind=kind,
            owner=owner,
            settings=settings,
            expires=None if days is None else now + days * _DAY,
        )
        self._note("add token", f"{kind}:{name}", owner=owner, settings=settings, days=days)
        return secret, token

    def change_token(
        self,
        number: int,
        *,
        disabled: bool | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Token:
        """Changes what is given; gives the token as it is then."""
        tokens = self.accounts.tokens
        before = tokens.read(number)
        target = f"{before.kind}:{before.name}"
        if settings is not None:
            if before.kind == API:
                _check_token_roles(self.accounts.users.read(before.owner), settings.get("roles"))
            tokens.change(before, {**before.settings, **settings})
            self._note("change token", target, settings=dict(settings))
        if disabled is not None and disabled is not (before.disabled is not None):
            tokens.disable(before, disabled=disabled)
            self._note("disable token" if disabled else "enable token", target)
        return tokens.read(number)

    def remove_token(self, number: int) -> None:
        token = self.accounts.tokens.read(number)
        self.accounts.tokens.remove(token)
        self._note("remove token", f"{token.kind}:{token.name}", owner=token.owner)

    def list_roles(self) -> list[dict[str, Any]]:
        """Each role with its rights, indexes and limits."""
        every = self.accounts.roles.read_all()
        return [
            {
                "name": role,
                "rights": [right.value for right in Permission if right in rights],
                **every[role].as_dict(),
            }
            for role, rights in ROLES.items()
        ]

    def change_role(self, role: str, values: Mapping[str, Any]) -> RoleSettings:
        """Changes what a role sees and may take."""
        settings = self.accounts.roles.change(role, values)
        self._note("change role", role, **values)
        return settings

    def _note(self, action: str, name: str, **detail: Any) -> None:
        self.accounts.audit.note(action, who=self.who, address=self.address, target=name, **detail)


def _check_token_roles(owner: User, roles: Sequence[str] | None) -> None:
    rights = {right for role in owner.roles for right in ROLES.get(role, ())}
    for role in roles or ():
        if role not in ROLES or not ROLES[role] <= rights:
            raise EscudoError("SRV002", f"{owner.name!r} has not the rights of a role {role!r}")
