"""JSON that is not an object a line -> its objects, an array's too; ``json_events`` calls it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import LONGEST_EVENT

_BETWEEN = " \t\r\n,\0"
"""NUL bytes are what a crash leaves before what is written next."""
_BLOCK_EVENTS = 5_000
"""Events that are handed on together."""
_TOO_DEEP = "objects within objects too deep to be read"


def cut_objects(source: Iterator[bytes], name: str) -> Iterator[bytes | Rejected]:
    """The objects of a stream as lines, some thousand lines at a time, and what is none.

    An object that holds one array of objects (``{"Records": [...]}``), and an answer of
    Elasticsearch, is those objects.

    >>> list(cut_objects(iter([b'[{"a": 1},\\n {"a":', b' 2}]']), "x"))
    [b'{"a":1}\\n{"a":2}\\n']
    """
    decoder = json.JSONDecoder()
    text = ""
    lines: list[bytes] = []
    ended = False
    done = 0
    while True:
        at = _skip(text, 0)
        yield from _tell_nuls(text[:at], name, done)
        while at < len(text):
            try:
                value, stop = decoder.raw_decode(text, at)
            except (json.JSONDecodeError, RecursionError) as error:
                deep = isinstance(error, RecursionError)
                if not deep and not ended and len(text) - at < LONGEST_EVENT:
                    break
                following = _next_object(text, at + 1)
                excerpt = text[at:following][:EXCERPT_BYTES].encode("utf-8", "replace")
                code = "SRC032" if following == len(text) else "SRC030"
                message = _TOO_DEEP if isinstance(error, RecursionError) else error.msg
                rejected_lines = sum(1 for line in text[at:following].splitlines() if line.strip())
                yield Rejected(name, f"after object {done}", code, message, excerpt, rejected_lines)
                at = _skip(text, following)
                yield from _tell_nuls(text[following:at], name, done)
                continue
            for event in find_events(value):
                done += 1
                place = f"object {done}"
                excerpt = text[at:stop][:EXCERPT_BYTES].encode("utf-8", "replace")
                if not isinstance(event, dict):
                    message = "a JSON value that is not an object"
                    yield Rejected(name, place, "SRC031", message, excerpt)
                    continue
                try:
                    lines.append(orjson.dumps(event))
                except orjson.JSONEncodeError as error:
                    yield Rejected(name, place, "SRC030", str(error), excerpt)
            at = _skip(text, stop)
            yield from _tell_nuls(text[stop:at], name, done)
            if len(lines) >= _BLOCK_EVENTS:
                yield b"\n".join(lines) + b"\n"
                lines = []
        text = text[at:]
        if ended:
            break
        block = next(source, None)
        ended = block is None
        text += (block or b"").decode("utf-8", "replace")
    if lines:
        yield b"\n".join(lines) + b"\n"


def _tell_nuls(skipped: str, name: str, done: int) -> Iterator[Rejected]:
    """The lines of what was passed over that have NUL bytes, and no part of an object."""
    first, *others = skipped.split("\n")
    whole = [first, *others[:-1]] if others and not done else others[:-1]
    lines = sum("\0" in line for line in whole)
    if lines:
        excerpt = skipped[:EXCERPT_BYTES].encode()
        message = "NUL bytes between events"
        yield Rejected(name, f"after object {done}", "SRC030", message, excerpt, lines)


def find_events(value: Any) -> list[Any]:
    """The events in a value: those of its list, of its table or among its hits, else itself.

    >>> find_events({"tables": [{"columns": [{"name": "a"}], "rows": [["1"], ["2"]]}]})
    [{'a': '1'}, {'a': '2'}]
    >>> find_events({"actor": "ann", "events": [{"name": "login"}]})
    [{'actor': 'ann', 'events': [{'name': 'login'}]}]
    """
    match value:
        case {"hits": {"hits": [{"_source": _} | {"fields": _}, *_] as hits}}:
            return _objects(hits) or [value]
        case {"responses": [{"hits": {"hits": list()}}, *_] as answers}:
            return [event for answer in answers for event in find_events(answer)]
        case {"tables": [{"columns": list(), "rows": list()}, *_] as tables}:
            return [row for table in tables for row in find_events(table)] or [value]
        case {"columns": list() as columns, "rows": list() as rows}:
            return _table(columns, rows) or [value]
        case {"fields": list() as columns, "rows": list() as rows}:
            return _table(columns, rows) or [value]
        case {"resourceLogs": [*resources]}:
            return _otlp_records(resources) or [value]
        case dict() if len(value) == 1:
            [candidates] = value.values()
            return _objects(candidates) or [value]
        case dict():
            for name in _LISTS:
                if name in value and (events := _objects(value[name])):
                    return events if all(_dated(event) for event in events) else [value]
    return [value]


_LISTS = (
    "results",
    "records",
    "Records",
    "value",
    "events",
    "Events",
    "Results",
    "logs",
    "rows",
    "resources",
)
"""What lists of events are called in the answers of services that say more beside them."""


_DATED = re.compile(r"(?i)@?_?time(stamp|created|generated)?|eventtime|_raw|winlog|event|system")


def _dated(event: dict[str, Any]) -> bool:
    """Whether an object is an event of its own and not a part of one."""
    return any(_DATED.fullmatch(key) for key in event)


def _objects(candidates: Any) -> list[Any]:
    """A list that holds objects only, or none."""
    if isinstance(candidates, list) and candidates and all(isinstance(v, dict) for v in candidates):
        return candidates
    return []


def _table(columns: list[Any], rows: list[Any]) -> list[Any]:
    names = [c.get("name", c.get("ColumnName")) if isinstance(c, dict) else c for c in columns]
    if not all(isinstance(name, str) for name in names):
        return []
    return [dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in rows]


def _otlp_records(resources: list[Any]) -> list[Any]:
    return [
        record
        for resource in _objects(resources)
        for scope in _objects(resource.get("scopeLogs")) + _objects(resource.get("logs"))
        for record in _objects(scope.get("logRecords"))
    ]


def _skip(text: str, at: int) -> int:
    """Past blanks, commas and the brackets of an array around the events."""
    while at < len(text) and (text[at] in _BETWEEN or text[at] in "[]"):
        at += 1
    return at


def _next_object(text: str, at: int) -> int:
    line_end = text.find("\n{", at)
    return line_end + 1 if line_end >= 0 else len(text)
