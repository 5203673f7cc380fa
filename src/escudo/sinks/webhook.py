"""Findings -> POST requests of JSON, signed; ``opening`` makes this sink.

The body is ``{"findings": [...]}``. With a secret the header ``X-Escudo-Signature`` is ``sha256=``
and the HMAC, in hex, of the time in ``X-Escudo-Timestamp`` (epoch seconds), a full stop and the
body: so who receives it knows who sent it, and that it is not an old one sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from escudo.sinks.files import dump
from escudo.sinks.ocsf import build_ocsf
from escudo.sinks.posting import Poster
from escudo.sinks.retrying import GiveUpError, TryAgainError
from escudo.sinks.sink import Delivery, Failure, Finding

BATCH = 100
"""Findings of a request, at most."""


@dataclass(kw_only=True)
class WebhookSink:
    """A URL that takes JSON. ``batch``: findings of a request, at most."""

    name: str
    url: str
    poster: Poster
    secret: str | None = None
    batch: int = BATCH
    ocsf: bool = False
    clock: Callable[[], float] = time.time

    def send(self, findings: Sequence[Finding]) -> Delivery:
        sent = 0
        failures: list[Failure] = []
        for start in range(0, len(findings), self.batch):
            some = findings[start : start + self.batch]
            try:
                self._post(some)
                sent += len(some)
            except (TryAgainError, GiveUpError) as error:
                failures.append(Failure(tuple(some), str(error)))
        return Delivery(sent, tuple(failures))

    def close(self) -> None:
        self.poster.client.close()

    def _post(self, findings: Sequence[Finding]) -> None:
        body = dump({"findings": [build_ocsf(f) if self.ocsf else f for f in findings]})
        names = "\n".join(str(f["finding_id"]) for f in findings)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "escudo",
            "Idempotency-Key": hashlib.sha256(names.encode()).hexdigest(),
        }
        if self.secret is not None:
            stamp = str(int(self.clock()))
            headers["X-Escudo-Timestamp"] = stamp
            headers["X-Escudo-Signature"] = f"sha256={sign(self.secret, stamp, body)}"
        self.poster.post(self.url, body, headers)


def sign(secret: str, stamp: str, body: bytes) -> str:
    """The signature of a body that was sent at a time.

    >>> sign("s", "1", b"{}")[:16]
    'b253639bcd705ed1'
    """
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
