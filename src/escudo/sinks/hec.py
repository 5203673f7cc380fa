"""Findings -> a Splunk's HTTP Event Collector; ``opening`` makes this sink.

Source: Splunk, Format events for HTTP Event Collector; About HTTP Event Collector Indexer
Acknowledgment.
"""

from __future__ import annotations

import gzip
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from escudo.core.errors import EscudoError
from escudo.sinks.files import dump
from escudo.sinks.ocsf import build_ocsf
from escudo.sinks.posting import Poster
from escudo.sinks.retrying import GiveUpError, TryAgainError
from escudo.sinks.sink import Delivery, Failure, Finding

BATCH_BYTES = 900_000
"""Bytes of a request before it is compressed: Splunk takes 1 MB by default (max_content_length)."""
BATCH_EVENTS = 500
_ACK_STEP = 0.5
"""Seconds between two questions whether a request has been indexed."""


@dataclass(kw_only=True)
class HecSink:
    """A collector at ``url`` (``https://host:8088``, or with a path of its own).

    ``ack_seconds``: how long it may take until a request is indexed; None: that is not asked.
    """

    name: str
    url: str
    token: str
    poster: Poster
    index: str = ""
    source: str = ""
    sourcetype: str = "escudo:finding"
    compress: bool = True
    ocsf: bool = False
    ack_seconds: float | None = None
    sleep: Callable[[float], None] = time.sleep
    channel: str = field(default_factory=lambda: str(uuid.uuid4()))

    def send(self, findings: Sequence[Finding]) -> Delivery:
        sent = 0
        failures: list[Failure] = []
        for batch, body in self._cut(findings):
            try:
                self._post(body)
                sent += len(batch)
            except (TryAgainError, GiveUpError) as error:
                failures.append(Failure(tuple(batch), str(error)))
        return Delivery(sent, tuple(failures))

    def close(self) -> None:
        self.poster.client.close()

    def _cut(self, findings: Sequence[Finding]) -> Iterator[tuple[list[Finding], bytes]]:
        """Batches with their bodies: events one behind the other, without a separator."""
        batch: list[Finding] = []
        body = b""
        for finding in findings:
            event = dump(self._wrap(finding))
            if batch and (len(batch) == BATCH_EVENTS or len(body) + len(event) > BATCH_BYTES):
                yield batch, body
                batch, body = [], b""
            batch.append(finding)
            body += event
        if batch:
            yield batch, body

    def _wrap(self, finding: Finding) -> dict[str, Any]:
        wrapped: dict[str, Any] = {
            "time": round(datetime.fromisoformat(str(finding["_time"])).timestamp(), 3),
            "host": _first(finding.get("host")) or "escudo",
            "source": self.source or finding.get("search_name") or finding["detection"],
            "sourcetype": self.sourcetype,
            "event": build_ocsf(finding) if self.ocsf else finding,
        }
        if self.index:
            wrapped["index"] = self.index
        return wrapped

    def _post(self, body: bytes) -> None:
        headers = {
            "Authorization": f"Splunk {self.token}",
            "Content-Type": "application/json",
            "X-Splunk-Request-Channel": self.channel,
        }
        if self.compress:
            headers["Content-Encoding"] = "gzip"
        packed = gzip.compress(body, 6) if self.compress else body
        answer = self.poster.post(self.url, packed, headers)
        if self.ack_seconds is not None:
            self._await_ack(_read_ack(answer.content))

    def _await_ack(self, number: int) -> None:
        """Waits until a request is indexed.

        Raises:
            TryAgainError: it is not, in the time there is.
        """
        base = self.url.split("/services/collector")[0]
        url = f"{base}/services/collector/ack?channel={self.channel}"
        headers = {"Authorization": f"Splunk {self.token}"}
        body = orjson.dumps({"acks": [number]})
        assert self.ack_seconds is not None
        end = time.monotonic() + self.ack_seconds
        while True:
            answer = self.poster.post(url, body, headers)
            if _is_acknowledged(answer.content, number):
                return
            if time.monotonic() >= end:
                raise TryAgainError(f"not indexed within {self.ack_seconds:g} s")
            self.sleep(_ACK_STEP)


def complete_url(url: str) -> str:
    """The address of a collector's events; one that has a path stays as it is.

    >>> complete_url("https://splunk:8088/")
    'https://splunk:8088/services/collector/event'
    """
    head, _, path = url.partition("://")[2].partition("/")
    if not head:
        raise EscudoError("SNK001", f"{url} has no host")
    return url if path else f"{url.rstrip('/')}/services/collector/event"


def _first(value: Any) -> str | None:
    """The first of several values, which are one a line."""
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    return None if value is None else str(value).split("\n", 1)[0]


def _read_ack(content: bytes) -> int:
    try:
        return int(orjson.loads(content)["ackId"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        message = "it gives no ackId: indexer acknowledgment is off for this token"
        raise GiveUpError(message) from error


def _is_acknowledged(content: bytes, number: int) -> bool:
    try:
        return bool(orjson.loads(content)["acks"].get(str(number)))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return False
