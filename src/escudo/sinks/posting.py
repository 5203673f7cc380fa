"""Bodies -> HTTP requests that are tried again while the other side is busy; ``hec`` and
``webhook`` post by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from escudo.sinks.retrying import GiveUpError, Patience, TryAgainError

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may be taken."""

_SHOWN = 200
"""Characters of an answer that are told."""


def make_client(*, verify: bool, ca: str, timeout: float) -> httpx.Client:
    """A client that follows no redirect: findings go where the user said, and nowhere else.

    Args:
        ca: a file of certificates to trust; empty for the system's.
    """
    trusted: bool | str = (ca or True) if verify else False
    return httpx.Client(verify=trusted, timeout=timeout, follow_redirects=False)


@dataclass
class Poster:
    """Sends requests by a client, with patience."""

    client: httpx.Client
    patience: Patience = field(default_factory=Patience)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """The answer to a request that was taken (2xx).

        Raises:
            TryAgainError: nobody answered, or the answer was that of a busy server, until the
                patience was at its end.
            GiveUpError: it was refused.
        """

        def once() -> httpx.Response:
            try:
                answer = self.client.post(url, content=body, headers=dict(headers))
            except httpx.TransportError as error:
                raise TryAgainError(str(error) or type(error).__name__) from error
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise GiveUpError(str(error) or type(error).__name__) from error
            if answer.status_code in _BUSY:
                raise TryAgainError(_describe(answer))
            if not answer.is_success:
                raise GiveUpError(_describe(answer))
            return answer

        return self.patience.try_until(once)


def _describe(answer: httpx.Response) -> str:
    text = " ".join(answer.text.split())[:_SHOWN]
    return f"HTTP {answer.status_code}" + (f": {text}" if text else "")
