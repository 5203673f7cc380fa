"""A large log -> pieces of it with whole events, which are read apart from each other; ingests by a
cluster call it.

Only of logs whose events show where they end: JSON with an event a line, and event XML. What is
compressed, an array, of two bytes a character, or holds CDATA (which may hide the end of an event)
is one piece.
"""

from __future__ import annotations

import mmap
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from pathlib import Path

from escudo.sources.format_detection import (
    HEAD_BYTES,
    Format,
    detect_encoding,
    detect_format,
    has_objects_between_lines,
)
from escudo.sources.formats.json_events import is_lines
from escudo.sources.listing import Piece

_BLOCK = 8 << 20
_BLANKS = re.compile(rb"\s*")
_EVENT_END = b"</Event>"
_EVENT = re.compile(rb"\s*<Event[\s>]")
_CDATA = b"<![CDATA["


def cut_log(path: Path, size: int) -> list[Piece]:
    """The pieces of a log, each of about so many bytes; none where it has to be read as a whole.

    Raises:
        OSError: it cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder, "a.json")
    ...     _ = log.write_bytes(b'{"EventID": 1}\\n' * 3)
    ...     [(piece.begin, piece.end, piece.line) for piece in cut_log(log, 20)]
    [(0, 30, 1), (30, 45, 3)]
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        format_ = detect_format(head)
        find_end = _FINDERS.get(format_) if format_ is not None else None
        if format_ is None or find_end is None or detect_encoding(head) != "utf-8":
            return []
        if has_objects_between_lines(head, format_):  # which may make it a text
            return []
        begins = head.removeprefix(BOM_UTF8).lstrip()[:1]
        if format_ is not Format.EVENT_XML and (begins != b"{" or not is_lines(head)):
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if format_ is Format.EVENT_XML and content.find(_CDATA) >= 0:
                return []
            return _cut(content, format_, size, find_end)


def _cut(
    content: mmap.mmap, format_: Format, size: int, find_end: Callable[[mmap.mmap, int], int]
) -> list[Piece]:
    pieces = []
    begin, line = 0, 1
    while begin < len(content):
        end = find_end(content, begin + size) if begin + size < len(content) else len(content)
        pieces.append(Piece(format_, begin, end, line))
        for at in range(begin, end, _BLOCK):
            line += content[at : min(at + _BLOCK, end)].count(b"\n")
        begin = end
    return pieces


def _find_line(content: mmap.mmap, start: int) -> int:
    """Where a line begins with an object; the end of the log if none does."""
    found = content.find(b"\n{", start)
    return len(content) if found < 0 else found + 1


def _find_event_end(content: mmap.mmap, start: int) -> int:
    """Where an event has ended and another one begins; the end of the log if none does."""
    at = content.find(_EVENT_END, start)
    while at >= 0:
        at += len(_EVENT_END)
        if _EVENT.match(content, at) is not None:
            return at
        at = content.find(_EVENT_END, at)
    return len(content)


_FINDERS: Mapping[Format, Callable[[mmap.mmap, int], int]] = {
    Format.EVENT_XML: _find_event_end,
    Format.FDR: _find_line,
    Format.JSON_EVENTS: _find_line,
}
