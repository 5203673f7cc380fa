"""The state -> users and their passwords; the log-in, the pages of administrators and the command
line call it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import BoundedSemaphore

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.permissions import ROLES
from escudo.serve.tables import SESSIONS, TOKENS, USERS

LOCAL = "local"
"""The provider of users who have a password here."""

FIRST_USER = "admin"

SHORTEST = 12
"""Characters of a password at least (NIST SP 800-63B asks for 8, ASVS for 12)."""

LONGEST = 1024

_FEWEST_CHARACTERS = 5
"""Different characters of a password at least."""

HASHED_AT_ONCE = 4
"""Passwords that are hashed at the same time; each takes 64 MiB (RFC 9106, 4)."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can log in. ``created`` and ``disabled`` are epoch seconds."""

    name: str
    roles: tuple[str, ...]
    full_name: str
    provider: str
    created: float
    disabled: float | None
    must_change: bool


class Users:
    """The users of a state.

    >>> with State.open("sqlite://") as state:
    ...     users = Users(state, clock=lambda: 0.0)
    ...     password = users.make_first()
    ...     users.verify("admin", password).roles, users.verify("admin", "guess")
    (('admin',), None)
    """

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock
        self._hasher = PasswordHasher()
        self._hashing = BoundedSemaphore(HASHED_AT_ONCE)

    def make_first(self) -> str | None:
        """Makes the first user, an administrator, and gives his password, which is to be changed;
        None where there is an administrator, or somebody else has the name."""
        password = secrets.token_urlsafe(18)
        with self._state.begin(alone=True) as connection:
            if _list_admins(connection) or _select(connection, FIRST_USER) is not None:
                return None
            self._insert(connection, FIRST_USER, password, ("admin",), "", must_change=True)
        return password

    def add(
        self,
        name: str,
        password: str | None,
        roles: Sequence[str],
        *,
        full_name: str = "",
        provider: str = LOCAL,
        must_change: bool = False,
    ) -> User:
        """Makes a user.

        Raises:
            EscudoError: SRV001 the name is taken or cannot be one, SRV002 a role that is none,
                SRV003 a password that cannot be one.
        """
        _check_name(name)
        _check_roles(roles)
        if password is not None:
            check_password(password, name)
        try:
            with self._state.begin() as connection:
                if _select(connection, name) is not None:
                    raise EscudoError("SRV001", f"there is a user {name!r}")
                self._insert(
                    connection,
                    name,
                    password,
                    roles,
                    full_name,
                    provider=provider,
                    must_change=must_change,
                )
        except sa.exc.IntegrityError as error:
            raise EscudoError("SRV001", f"there is a user {name!r}") from error
        return self.read(name)

    def _insert(
        self,
        connection: sa.Connection,
        name: str,
        password: str | None,
        roles: Sequence[str],
        full_name: str,
        *,
        provider: str = LOCAL,
        must_change: bool = False,
    ) -> None:
        connection.execute(
            sa.insert(USERS).values(
                name=name,
                password=None if password is None else self._hash(password),
                roles=json.dumps(list(roles)),
                full_name=full_name,
                provider=provider,
                created=self._clock(),
                disabled=None,
                must_change=int(must_change),
            )
        )

    def read(self, name: str) -> User:
        """A user.

        Raises:
            EscudoError: SRV004 for one who is not there.
        """
        with self._state.read() as connection:
            row = _select(connection, name)
        if row is None:
            raise EscudoError("SRV004", f"no user {name!r}")
        return _make_user(row)

    def list(self) -> list[User]:
        """All users, by name."""
        with self._state.read() as connection:
            rows = connection.execute(sa.select(USERS).order_by(USERS.c.name)).all()
        return [_make_user(row) for row in rows]

    def verify(self, name: str, password: str) -> User | None:
        """The user of a name and password; None where they are not right, or he is disabled.

        An unknown name costs what a wrong password does, so that time does not tell names.
        """
        with self._state.read() as connection:
            row = _select(connection, name)
        known = row is not None and row.password is not None and row.disabled is None
        digest = row.password if row is not None and known else self._decoy
        try:
            with self._hashing:
                self._hasher.verify(digest, _encode(password[: LONGEST + 1]))
        except (VerificationError, InvalidHashError):
            return None
        if row is None or not known:
            return None
        if self._hasher.check_needs_rehash(row.password):
            self._set(name, password=self._hash(password))
        return _make_user(row)

    def read_hash(self, name: str) -> str | None:
        """What is kept of a user's password: another one after each change."""
        with self._state.read() as connection:
            row = _select(connection, name)
        return None if row is None else row.password

    def set_password(self, name: str, password: str, *, must_change: bool = False) -> None:
        """Gives a user another password, and ends his sessions.

        Raises:
            EscudoError: SRV003 a password that cannot be one, SRV004 no such user, SRV096 one whom
                another provider logs in.
        """
        check_password(password, name)
        provider = self.read(name).provider
        if provider != LOCAL:
            raise EscudoError("SRV096", f"{name!r} logs in by {provider}, and has no password here")
        self._set(name, password=self._hash(password), must_change=int(must_change))
        self.end_sessions(name)

    @cached_property
    def _decoy(self) -> str:
        return self._hash(secrets.token_urlsafe(18))

    def _hash(self, password: str) -> str:
        with self._hashing:
            return self._hasher.hash(_encode(password))

    def set_roles(self, name: str, roles: Sequence[str]) -> None:
        """Gives a user other roles; they count from his next request on.

        Raises:
            EscudoError: SRV002 a role that is none, SRV004 no such user, SRV090 where no
                administrator would be left.
        """
        _check_roles(roles)
        self._set(name, leaves_admin="admin" in roles, roles=json.dumps(list(roles)))

    def set_full_name(self, name: str, full_name: str) -> None:
        """Raises EscudoError: SRV004."""
        self._set(name, full_name=full_name)

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Lets a user in no more (or again). His sessions end, and his tokens of the API: they are
        disabled, and stay so when he is let in again.

        Raises:
            EscudoError: SRV004 no such user, SRV090 where no administrator would be left.
        """
        now = self._clock()
        self._set(name, leaves_admin=not disabled, disabled=now if disabled else None)
        if disabled:
            with self._state.begin() as connection:
                theirs = (TOKENS.c.owner == name) & (TOKENS.c.kind == "api")
                connection.execute(
                    sa.update(TOKENS)
                    .where(theirs, TOKENS.c.disabled.is_(None))
                    .values(disabled=now)
                )
        self.end_sessions(name)

    def remove(self, name: str) -> None:
        """Takes a user away, with his sessions and his tokens of the API.

        Raises:
            EscudoError: SRV004 no such user, SRV090 where no administrator would be left.
        """
        self.disable(name)
        with self._state.begin() as connection:
            theirs = (TOKENS.c.owner == name) & (TOKENS.c.kind == "api")
            connection.execute(sa.delete(TOKENS).where(theirs))
            connection.execute(sa.delete(USERS).where(USERS.c.name == name))

    def end_sessions(self, name: str) -> None:
        with self._state.begin() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user == name))

    def _set(self, name: str, *, leaves_admin: bool = True, **values: object) -> None:
        with self._state.begin(alone=True) as connection:
            if not leaves_admin and _list_admins(connection) == [name]:
                raise EscudoError("SRV090", f"{name!r} is the last administrator")
            done = connection.execute(sa.update(USERS).where(USERS.c.name == name).values(**values))
        if not done.rowcount:
            raise EscudoError("SRV004", f"no user {name!r}")


def _list_admins(connection: sa.Connection) -> list[str]:
    """The names of the administrators who are let in."""
    rows = connection.execute(sa.select(USERS).where(USERS.c.disabled.is_(None))).all()
    return [row.name for row in rows if "admin" in json.loads(row.roles)]


def _select(connection: sa.Connection, name: str) -> sa.Row[tuple[object, ...]] | None:
    return connection.execute(sa.select(USERS).where(USERS.c.name == name)).first()


def _make_user(row: sa.Row[tuple[object, ...]]) -> User:
    return User(
        name=row.name,
        roles=tuple(json.loads(row.roles)),
        full_name=row.full_name,
        provider=row.provider,
        created=row.created,
        disabled=row.disabled,
        must_change=bool(row.must_change),
    )


def _check_name(name: str) -> None:
    if not name or len(name) > 200 or not name.isprintable() or set(name) & set("/:\\ "):
        raise EscudoError("SRV001", f"{name!r} cannot be the name of a user")


def _check_roles(roles: Sequence[str]) -> None:
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        given = ", ".join(unknown) or "none"
        raise EscudoError("SRV002", f"roles are {', '.join(ROLES)}, not {given}")


def check_password(password: str, name: str = "") -> None:
    """Raises EscudoError: SRV003 for a password that is too short or too long, or is guessed at
    once: the user's own name in it and little else, or a few characters again and again."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise EscudoError("SRV003", f"a password has {SHORTEST} to {LONGEST:,} characters")
    rest = password.lower().replace(name.lower(), "") if name else password
    if len(set(password)) < _FEWEST_CHARACTERS or len(rest) < SHORTEST // 2:
        raise EscudoError("SRV003", "a password is not a name, or a few characters repeated")


def _encode(password: str) -> bytes:
    """As bytes, whatever characters a client sent."""
    return password.encode("utf-8", "surrogatepass")
