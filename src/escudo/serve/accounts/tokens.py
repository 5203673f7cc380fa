"""The state -> tokens of programs: those of the API act as their owner, those of HEC send."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.accounts.sessions import SEEN_SECONDS, digest_secret
from escudo.serve.tables import TOKENS

API, HEC = "api", "hec"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret unless ``secret`` says so (HEC). ``settings`` of HEC has the keys
    of inputs.conf: ``indexes``, ``index``, ``source``, ``sourcetype``, ``host``, ``useACK``."""

    id: int
    name: str
    kind: str
    owner: str
    settings: Mapping[str, Any]
    created: float
    expires: float | None
    disabled: float | None
    used: float | None = None
    secret: str | None = field(default=None, repr=False)

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes that it may send to; none: any."""
        return tuple(self.settings.get("indexes") or ())


class Tokens:
    """The tokens of a state."""

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock

    def add(
        self,
        name: str,
        *,
        kind: str,
        owner: str,
        settings: Mapping[str, Any] | None = None,
        expires: float | None = None,
        secret: str | None = None,
    ) -> tuple[str, Token]:
        """Makes a token; gives its secret, which for the API is told this once.

        Raises:
            EscudoError: SRV005 where there is one of this name.
        """
        made = secret or (str(uuid.uuid4()) if kind == HEC else f"esc_{secrets.token_urlsafe(32)}")
        try:
            with self._state.begin() as connection:
                inserted = connection.execute(
                    sa.insert(TOKENS).values(
                        name=name,
                        kind=kind,
                        digest=digest_secret(made),
                        secret=made if kind == HEC else None,
                        owner=owner,
                        settings=json.dumps(dict(settings or {})),
                        created=self._clock(),
                        expires=expires,
                    )
                )
        except EscudoError as error:
            if isinstance(error.__cause__, sa.exc.IntegrityError):
                raise EscudoError("SRV005", f"there is a token {name!r}") from error
            raise
        assert inserted.inserted_primary_key is not None
        return made, self.read(inserted.inserted_primary_key[0])

    def find(self, secret: str, *, kind: str) -> Token | None:
        """The token of a secret; also one that is disabled or has expired (``is_valid``)."""
        with self._state.read() as connection:
            row = connection.execute(
                sa.select(TOKENS).where(
                    TOKENS.c.digest == digest_secret(secret), TOKENS.c.kind == kind
                )
            ).first()
        if row is None:
            return None
        now = self._clock()
        if row.used is None or now - row.used > SEEN_SECONDS:
            with self._state.begin() as connection:
                connection.execute(sa.update(TOKENS).where(TOKENS.c.id == row.id).values(used=now))
        return _make_token(row)

    def now(self) -> float:
        """The time that tokens expire by, in epoch seconds."""
        return self._clock()

    def is_valid(self, token: Token) -> bool:
        """Whether a token counts now."""
        over = token.expires is not None and token.expires <= self._clock()
        return token.disabled is None and not over

    def list(self, kind: str | None = None) -> Sequence[Token]:
        """All tokens, or those of a kind, by name."""
        query = sa.select(TOKENS).order_by(TOKENS.c.kind, TOKENS.c.name)
        if kind is not None:
            query = query.where(TOKENS.c.kind == kind)
        with self._state.read() as connection:
            return [_make_token(row) for row in connection.execute(query)]

    def read(self, number: int) -> Token:
        """The token of a number. Raises EscudoError: SRV094 for one that is not there."""
        with self._state.read() as connection:
            row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == number)).first()
        if row is None:
            raise EscudoError("SRV094", f"no token {number}")
        return _make_token(row)

    def change(self, token: Token, settings: Mapping[str, Any]) -> None:
        """Puts other settings in place of a token's."""
        self._set(token, settings=json.dumps(dict(settings)))

    def disable(self, token: Token, *, disabled: bool = True) -> None:
        self._set(token, disabled=self._clock() if disabled else None)

    def remove(self, token: Token) -> None:
        with self._state.begin() as connection:
            connection.execute(sa.delete(TOKENS).where(TOKENS.c.id == token.id))

    def _set(self, token: Token, **values: object) -> None:
        with self._state.begin() as connection:
            connection.execute(sa.update(TOKENS).where(TOKENS.c.id == token.id).values(**values))


def _make_token(row: sa.Row[tuple[object, ...]]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        kind=row.kind,
        owner=row.owner,
        settings=json.loads(row.settings),
        created=row.created,
        expires=row.expires,
        disabled=row.disabled,
        used=row.used,
        secret=row.secret,
    )
