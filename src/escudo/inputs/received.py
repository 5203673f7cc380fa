"""What a sender brought in one request -> something that ``Receiver.accept`` takes.

Front doors (HEC, Elasticsearch, syslog) make them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from escudo.lake.labels import NO_LABELS, Labels

_ROW_BYTES = 200
"""About how many bytes an event takes in memory besides its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvents:
    """Events that the sender has told apart.

    Attributes:
        texts: the text of each event: a JSON object, event XML, a line.
        labels: what the sender says of each event; it goes before what the event says itself.
        times: when each was, in epoch seconds, where the sender says so.
        fields: further fields of each, where it has some.
        defaults: what events have that are in no known form, and have no such label.
        origin: where they come from (``hec:NAME``), kept as the source file.
        received: when they came, in epoch seconds: the time of those that have none.
        key: what the same request would have again if its sender never got an answer; None: it
            cannot be told (``Receiver``).
    """

    texts: Sequence[str]
    labels: Sequence[Labels]
    times: Sequence[float | None]
    fields: Sequence[Mapping[str, str] | None]
    origin: str
    received: float
    defaults: Labels = NO_LABELS
    key: str | None = None
    size: int = field(init=False)

    def __post_init__(self) -> None:
        texts = sum(map(len, self.texts))
        object.__setattr__(self, "size", texts + _ROW_BYTES * len(self.texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedText:
    """A text that is to be broken into events, as a file of its format is."""

    data: bytes
    labels: Labels
    origin: str
    received: float
    defaults: Labels = NO_LABELS
    key: str | None = None

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSyslog:
    """Messages of syslog without their frames; ``labels`` and ``defaults`` as above. The host is
    that of the message, or ``peer``, the sender's address."""

    messages: Sequence[bytes]
    peer: str
    origin: str
    received: float
    labels: Labels = NO_LABELS
    key: str | None = None

    @property
    def size(self) -> int:
        return sum(map(len, self.messages)) + _ROW_BYTES * len(self.messages)


Received: TypeAlias = ReceivedEvents | ReceivedText | ReceivedSyslog


def make_key(*parts: bytes) -> str:
    """What a request is known by again: a digest of its parts.

    >>> make_key(b"a", b"bc") == make_key(b"ab", b"c")
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
