"""The bytes at the end of a growing file -> how many of them are whole events; ``tail`` asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import orjson

from escudo.sources.format_detection import (
    HEAD_BYTES,
    Format,
    detect_encoding,
    detect_format,
)
from escudo.sources.formats.classic_text import EVENT_START

_XML_END = re.compile(rb"</(?:\w+:)?Event>(?:\s*</(?:\w+:)?Events>\s*\Z)?")
_LONGEST_TEST = 1 << 20
"""A last line without its line feed is parsed, to see whether it is whole, up to so many bytes."""


def detect_growing(head: bytes) -> Format | None:
    """The format of a file that can be read as it grows; None for one that is read whole (event
    logs, archives, arrays of JSON, UTF-16) or is not recognised.

    >>> detect_growing(b'{"EventID": 1}\\n'), detect_growing(b'[{"EventID": 1}]')
    (<Format.JSON_EVENTS: 'json_events'>, None)
    """
    if detect_encoding(head) != "utf-8":
        return None
    found = detect_format(head[:HEAD_BYTES])
    if found in (Format.JSON_EVENTS, Format.FDR):
        first = next((line for line in head.splitlines(keepends=True) if line.strip()), b"")
        whole = first.endswith(b"\n") or len(head) < HEAD_BYTES
        return found if not whole or _is_object(first) else None
    return found if found in _COUNTERS else None


def count_whole(format_: Format, data: bytes) -> int:
    """How many bytes, from the start, are whole events, whatever comes behind them.

    A last JSON object or XML event is whole without a line feed: nothing can go on behind its end.

    >>> count_whole(Format.JSON_EVENTS, b'{"a": 1}\\n{"a": 2')
    9
    >>> count_whole(Format.JSON_EVENTS, b'{"a": 1}\\n{"a": 2}')
    17
    """
    return _COUNTERS[format_](data)


def _count_lines(data: bytes) -> int:
    end = data.rfind(b"\n") + 1
    rest = data[end:]
    if rest.rstrip().endswith(b"}") and len(rest) <= _LONGEST_TEST and _is_object(rest):
        return len(data)
    return end


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line.removeprefix(b"\xef\xbb\xbf")), dict)
    except orjson.JSONDecodeError:
        return False


def _count_xml(data: bytes) -> int:
    end = data.rfind(b"Event>")
    while end >= 0:
        start = data.rfind(b"<", 0, end)
        found = _XML_END.match(data, start) if start >= 0 else None
        if found is not None and found.end() >= end + len(b"Event>"):
            return found.end()
        end = data.rfind(b"Event>", 0, end)
    return 0


def _count_text(data: bytes) -> int:
    """The last event may go on: the one before it has ended."""
    starts = [m.start() for m in EVENT_START.finditer(data.decode("latin-1"))]
    return starts[-1] if starts else 0


def _count_rows(data: bytes) -> int:
    """A line feed between quotes does not end a row."""
    end = data.rfind(b"\n") + 1
    while end and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


_COUNTERS: Mapping[Format, Callable[[bytes], int]] = {
    Format.JSON_EVENTS: _count_lines,
    Format.FDR: _count_lines,
    Format.EVENT_XML: _count_xml,
    Format.CLASSIC_TEXT: _count_text,
    Format.CSV_EVENTS: _count_rows,
}
