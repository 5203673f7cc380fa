"""A request -> the HEC token that it brings; the routes of HEC and of Elasticsearch call it."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from escudo.lake.labels import Labels
from escudo.serve.accounts.tokens import HEC, Token, Tokens
from escudo.serve.hec.answers import (
    INVALID_AUTHORIZATION,
    INVALID_TOKEN,
    QUERY_TOKEN,
    TOKEN_DISABLED,
    TOKEN_REQUIRED,
    HecError,
)

_KNOWN_SECONDS = 2.0
"""Seconds that a token is known without a look at the state: it is disabled so much later."""
_MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class Sender:
    """A token as the routes need it. ``labels`` is what it says of all its events; ``defaults``
    what Splunk says of those that nobody else says it of."""

    token: Token
    labels: Labels
    defaults: Labels
    wants_ack: bool
    may_ask_by_query: bool

    @property
    def id(self) -> int:
        return self.token.id

    def may_index(self, index: str) -> bool:
        """Whether its events may come into an index: those of its list, and its own."""
        return not self.token.indexes or index in self.token.indexes or index == self.labels.index


class Senders:
    """The senders of a state, kept for a moment: a post is not to cost a look at the state."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Sender | None]] = {}

    async def find(self, secret: str) -> Sender | None:
        """The sender of a token's secret, whether it counts or not (``is_valid``)."""
        now = time.monotonic()
        with self._lock:
            until, known = self._known.get(secret, (0.0, None))
        if now < until:
            return known
        token = await run_in_threadpool(self._tokens.find, secret, kind=HEC)
        found = None if token is None else make_sender(token)
        with self._lock:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[secret] = (now + _KNOWN_SECONDS, found)
        return found

    def is_valid(self, sender: Sender) -> bool:
        return self._tokens.is_valid(sender.token)

    async def require(self, request: Request) -> Sender:
        """The sender of a request, by ``Splunk TOKEN``, by ``Basic`` with the token as password, or
        by ``?token=`` where the token says that it may.

        Raises:
            HecError: codes 1 to 4, 16.
        """
        given = request.headers.get("authorization")
        queried = None if given is not None else request.query_params.get("token")
        if given is None and queried is None:
            raise HecError(TOKEN_REQUIRED)
        secret = queried if given is None else read_secret(given)
        if not secret:
            raise HecError(INVALID_AUTHORIZATION)
        sender = await self.find(secret)
        if sender is None:
            raise HecError(INVALID_TOKEN)
        if not self.is_valid(sender):
            raise HecError(TOKEN_DISABLED)
        if queried is not None and not sender.may_ask_by_query:
            raise HecError(QUERY_TOKEN)
        return sender


def read_secret(authorization: str) -> str | None:
    """The token of a header; None where it has none.

    >>> read_secret("Splunk 4c1d"), read_secret("Basic eDo0YzFk"), read_secret("Digest a")
    ('4c1d', '4c1d', None)
    """
    scheme, _, proof = authorization.strip().partition(" ")
    match scheme.lower():
        case "splunk":
            return proof.strip()
        case "basic":
            try:
                return base64.b64decode(proof, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return None
    return None


def make_sender(token: Token) -> Sender:
    """A token's settings by their meaning (inputs.conf, ``[http://NAME]``)."""
    settings = token.settings
    return Sender(
        token,
        labels=Labels(
            source=_text(settings, "source"),
            sourcetype=_text(settings, "sourcetype"),
            host=_text(settings, "host"),
            index=_text(settings, "index"),
        ),
        defaults=Labels(source=f"http:{token.name}", sourcetype="httpevent", index="main"),
        wants_ack=_is_set(settings.get("useACK")),
        may_ask_by_query=_is_set(settings.get("allowQueryStringAuth")),
    )


def _text(settings: Mapping[str, Any], name: str) -> str | None:
    value = settings.get(name)
    return str(value) if value not in (None, "", "default") else None


def _is_set(value: object) -> bool:
    """Whether a setting of a conf file is true."""
    return str(value).strip().lower() in ("1", "true", "t", "yes", "y", "on")
