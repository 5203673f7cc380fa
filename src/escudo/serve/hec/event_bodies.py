"""The body of a post to ``/services/collector`` -> its events; ``collector`` calls it.

A body is JSON objects one behind the other, with or without blanks between them. Only the envelope
of an event is looked at here; the event in it stays as it was written, and its fields are read in
columns, when it is committed. By msgspec it takes 5 us an event of fifty fields, a third of what
parsing and writing it anew takes (2026-11-29).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import orjson

from escudo.core.schema import MV_SEPARATOR
from escudo.inputs.received import ReceivedEvents
from escudo.lake.labels import NO_LABELS, Labels
from escudo.serve.hec.answers import (
    EVENT_BLANK,
    EVENT_REQUIRED,
    INCORRECT_INDEX,
    INDEXED_FIELDS,
    INVALID_FORMAT,
    NO_DATA,
    HecError,
)
from escudo.sources.formats.text import repair_utf8

_SEAM = re.compile(rb"\}\s*(?=\{)")
_BLANK = re.compile(r"[ \t\r\n]*")
_METRIC = "metric"
_LATEST = 4e9
"""Seconds; a larger time is in milliseconds."""


class Envelope(msgspec.Struct):
    """What is around an event ("Format events for HTTP Event Collector", event metadata)."""

    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    time: int | float | str | None = None
    host: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    index: str | None = None
    fields: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_ENVELOPE = msgspec.json.Decoder(Envelope)
_TEXT = msgspec.json.Decoder(str)


def cut_objects(body: bytes) -> Iterator[Envelope]:
    """The objects of a body, which is UTF-8.

    >>> [bytes(e.event) for e in cut_objects(b'{"event":1}{"event":"}{"}\\n {"event":{"c":3}}')]
    [b'1', b'"}{"', b'{"c":3}']

    Raises:
        ValueError: it is not JSON, breaks off, or is no envelope.
    """
    start = 0
    ends = [match.end() for match in _SEAM.finditer(body)]
    for end in [*ends, len(body)]:
        part = body[start:end]
        if not part.strip():
            return
        try:
            value = _ENVELOPE.decode(part)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            yield from _decode_rest(body[start:])
            return
        yield value
        start = end


def _decode_rest(rest: bytes) -> Iterator[Envelope]:
    """The values of a text in which something looks like the seam of two objects and is none."""
    text = rest.decode()
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    at = 0
    while (at := _end_of_blank(text, at)) < len(text):
        try:
            _, end = decoder.raw_decode(text, at)
        except RecursionError:
            raise ValueError("nested too deep") from None
        yield _ENVELOPE.decode(text[at:end])
        at = end


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _end_of_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def read_events(
    body: bytes,
    *,
    labels: Labels,
    defaults: Labels,
    may_index: Callable[[str], bool],
    origin: str,
    received: float,
    key: str | None = None,
) -> ReceivedEvents:
    """The events of a body.

    Args:
        labels: what the request or its token says of all events; the events' own go before it.
        may_index: whether events may come into an index.

    Raises:
        HecError: the body is refused whole, so that it can be sent again whole.
    """
    texts: list[str] = []
    every: list[Labels] = []
    times: list[float | None] = []
    fields: list[Mapping[str, str] | None] = []
    known: dict[tuple[str | None, ...], Labels] = {}
    number = -1
    try:
        for number, item in enumerate(cut_objects(repair_utf8(body))):
            made = _flatten(item.fields, number)
            text = _write_event(item.event, number)
            if text == _METRIC and made:
                text, made = orjson.dumps(made).decode(), None
            texts.append(text)
            fields.append(made)
            given = (item.source, item.sourcetype, item.host, item.index)
            found = known.get(given)
            if found is None:
                found = known[given] = _read_labels(item, labels, may_index, number)
            every.append(found)
            times.append(None if item.time is None else _read_time(item.time, number))
    except (ValueError, RecursionError) as error:
        raise HecError(INVALID_FORMAT, number + 1) from error
    if not texts:
        raise HecError(NO_DATA)
    return ReceivedEvents(
        texts=texts,
        labels=every,
        times=times,
        fields=fields,
        origin=origin,
        received=received,
        defaults=defaults,
        key=key,
    )


def _write_event(event: msgspec.Raw | msgspec.UnsetType, number: int) -> str:
    """The text of an event: what a string says, or the JSON as it came, on one line."""
    if isinstance(event, msgspec.UnsetType):
        raise HecError(EVENT_REQUIRED, number)
    raw = bytes(event)
    if raw[:1] == b'"':
        text = _TEXT.decode(raw)
        if not text.strip():
            raise HecError(EVENT_BLANK, number)
        return text
    if raw == b"null":
        raise HecError(EVENT_BLANK, number)
    if b"\n" in raw:
        raw = msgspec.json.format(raw, indent=-1)
    return raw.decode()


def _read_labels(
    item: Envelope, labels: Labels, may_index: Callable[[str], bool], number: int
) -> Labels:
    made = Labels(
        source=item.source or labels.source,
        sourcetype=item.sourcetype or labels.sourcetype,
        host=item.host or labels.host,
        index=item.index or labels.index,
    )
    if made.index is not None and not may_index(made.index):
        raise HecError(INCORRECT_INDEX, number)
    return NO_LABELS if made == NO_LABELS else made


def _read_time(value: str | float, number: int) -> float:
    """Seconds since 1970, as a number or its text; milliseconds where it can be nothing else."""
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        raise HecError(INVALID_FORMAT, number) from None
    for _ in range(3):
        if abs(seconds) > _LATEST:
            seconds /= 1000
    if not math.isfinite(seconds) or abs(seconds) > _LATEST:
        raise HecError(INVALID_FORMAT, number)
    return seconds


def _flatten(raw: msgspec.Raw | msgspec.UnsetType, number: int) -> Mapping[str, str] | None:
    """Further fields: texts, numbers, and lists of them; nothing is nested."""
    if isinstance(raw, msgspec.UnsetType):
        return None
    fields = orjson.loads(bytes(raw))
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise HecError(INDEXED_FIELDS, number)
    made: dict[str, str] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if isinstance(value, list):
            made[name] = MV_SEPARATOR.join(_write_scalar(each, number) for each in value)
        else:
            made[name] = _write_scalar(value, number)
    return made


def _write_scalar(value: object, number: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list) or value is None:
        raise HecError(INDEXED_FIELDS, number)
    return orjson.dumps(value).decode()
