"""JSON that is not an object a line -> its objects, an array's too; ``json_events`` calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import LONGEST_EVENT

_BETWEEN = " \t\r\n,"
_BLOCK_EVENTS = 5_000
"""Events that are handed on together."""


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
        while at < len(text):
            try:
                value, stop = decoder.raw_decode(text, at)
            except json.JSONDecodeError as error:
                if not ended and len(text) - at < LONGEST_EVENT:
                    break
                following = _next_object(text, at + 1)
                excerpt = text[at:following][:EXCERPT_BYTES].encode("utf-8", "replace")
                code = "SRC032" if following == len(text) else "SRC030"
                yield Rejected(name, f"after object {done}", code, error.msg, excerpt)
                at = _skip(text, following)
                continue
            for event in find_events(value):
                done += 1
                if isinstance(event, dict):
                    lines.append(orjson.dumps(event))
                else:
                    excerpt = text[at:stop][:EXCERPT_BYTES].encode("utf-8", "replace")
                    place = f"object {done}"
                    yield Rejected(
                        name, place, "SRC031", "a JSON value that is not an object", excerpt
                    )
            at = _skip(text, stop)
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


def find_events(value: Any) -> list[Any]:
    """The events in a value: those in its only array or among its hits, else itself."""
    candidates: Any = None
    match value:
        case {"hits": {"hits": [{"_source": _}, *_] as hits}}:
            candidates = hits
        case dict() if len(value) == 1:
            [candidates] = value.values()
    if isinstance(candidates, list) and candidates and all(isinstance(v, dict) for v in candidates):
        return candidates
    return [value]


def _skip(text: str, at: int) -> int:
    """Past blanks, commas and the brackets of an array around the events."""
    while at < len(text) and (text[at] in _BETWEEN or text[at] in "[]"):
        at += 1
    return at


def _next_object(text: str, at: int) -> int:
    line_end = text.find("\n{", at)
    return line_end + 1 if line_end >= 0 else len(text)
