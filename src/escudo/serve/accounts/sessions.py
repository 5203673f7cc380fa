"""A user who has logged in -> a session, by which later requests know him;
``accounts.authenticate`` asks it.

A session is named by a secret that only the user's browser or program has; the state keeps its
digest.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from escudo.schedule.database import State
from escudo.serve.tables import SESSIONS

SEEN_SECONDS = 60.0
"""How exactly it is kept when a session was used last."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session; ``csrf`` is what forms must bring back."""

    digest: str
    user: str
    csrf: str = field(repr=False)


class Sessions:
    """The sessions of a state. ``hours``: how long one lasts."""

    def __init__(self, state: State, *, clock: Callable[[], float], hours: float = 12.0) -> None:
        self._state = state
        self._clock = clock
        self.seconds = hours * 3600

    def open(self, user: str, *, kind: str = "web", agent: str = "") -> tuple[str, Session]:
        """Opens a session; gives its secret, and what is kept of it."""
        secret = secrets.token_urlsafe(32)
        session = Session(digest_secret(secret), user, secrets.token_urlsafe(32))
        now = self._clock()
        with self._state.begin() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires <= now))
            connection.execute(
                sa.insert(SESSIONS).values(
                    digest=session.digest,
                    user=user,
                    csrf=session.csrf,
                    created=now,
                    seen=now,
                    expires=now + self.seconds,
                    kind=kind,
                    agent=agent[:400],
                )
            )
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The session of a secret; None where it has ended or never was."""
        digest, now = digest_secret(secret), self._clock()
        with self._state.read() as connection:
            row = connection.execute(
                sa.select(SESSIONS).where(SESSIONS.c.digest == digest, SESSIONS.c.expires > now)
            ).first()
        if row is None:
            return None
        if now - row.seen > SEEN_SECONDS:
            with self._state.begin() as connection:
                connection.execute(
                    sa.update(SESSIONS).where(SESSIONS.c.digest == digest).values(seen=now)
                )
        return Session(digest, row.user, row.csrf)

    def end(self, digest: str) -> None:
        with self._state.begin() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == digest))


def digest_secret(secret: str) -> str:
    """What is kept of a secret that is long and random: no salt and no slow hash are needed."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
