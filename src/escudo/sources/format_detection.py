"""The first bytes of a stream -> its wire format, whatever its name; ``opening`` calls it."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from enum import StrEnum

HEAD_BYTES = 64 * 1024
"""Bytes of a stream, from its start, that are looked at."""
DEEP_BYTES = 1 << 20
"""Bytes of a file that the user named, where the first ones are of no log: a crash leaves blocks of
NUL bytes before what is written next. In a folder more is not looked at: programs and captures of
networks hold objects, too."""

_EVENT = re.compile(rb"<(?:\w+:)?Events?[\s/>]")
_OBJECT_LINE = re.compile(rb'(?m)^\s*(?:\[\s*)?\{\s*(?:"|\})')
_OPENING = re.compile(rb"\{|\[\s*(?:[\[{\"\]]|$)|<(?!\d)|" + BOM_UTF8)
"""How a line begins that is an object or an element; ``<14>`` is a priority of syslog, and
``[19/Aug/2024`` a time."""
_EMPTY_ARRAY = re.compile(rb"^\s*\[\s*(?:\]|\{|$)")
_FDR_KEY = re.compile(rb'"(?:event_simpleName|event_platform)"\s*:')


_CLASSIC = re.compile(
    rb"(?m)^(?:LogName=[^\r\n]+\r?\n(?:\w+=.*\n)*?"
    rb"|[\d/]+[ .][\d:.+-]+(?: [AP]M)?[ \t]+LogName=.+? )EventCode="
)
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_CELL = re.compile(r"[\w@#{}.:/()\[\] '’-]{1,80}")
_LOG_COLUMN = re.compile(
    r"(?i)time|date|datum|fecha|event|_raw|host|computer|channel|provider|source|usersid"
)


class Format(StrEnum):
    """The wire formats; each has its file in ``sources/formats``."""

    EVTX = "evtx"
    PARQUET = "parquet"
    EVENT_XML = "event_xml"
    FDR = "fdr"
    JSON_EVENTS = "json_events"
    CLASSIC_TEXT = "classic_text"
    CSV_EVENTS = "csv_events"
    TEXT = "text"


def detect_encoding(head: bytes) -> str:
    """The text encoding: by its byte order mark, or by the zero bytes of UTF-16.

    >>> detect_encoding("<Event/>".encode("utf-16-le")), detect_encoding(b"<Event/>")
    ('utf-16-le', 'utf-8')
    """
    if head.startswith(BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(BOM_UTF16_BE):
        return "utf-16-be"
    first = head[:64]
    pairs = len(first) // 2
    if pairs and first[1::2].count(0) == pairs and 0 not in first[0 : 2 * pairs : 2]:
        return "utf-16-le"
    if pairs and first[0 : 2 * pairs : 2].count(0) == pairs and 0 not in first[1::2]:
        return "utf-16-be"
    return "utf-8"


def detect_format(head: bytes) -> Format | None:
    """The format of a stream that begins with ``head``; None if it is no log that we read.

    >>> detect_format(b'{"event_simpleName":"ProcessRollup2"}'), detect_format(b"MZ\\x90") is None
    (<Format.FDR: 'fdr'>, True)
    """
    if head.startswith((b"ElfFile\0", b"ElfChnk\0")) or head[4096:4104] == b"ElfChnk\0":
        return Format.EVTX
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    encoding = detect_encoding(head)
    text = head.removeprefix(BOM_UTF8)
    if encoding != "utf-8":
        text = head.decode(encoding, "replace").lstrip("\ufeff").encode()
    if _looks_like_csv(text):
        return Format.CSV_EVENTS
    classic = _CLASSIC.search(text)
    markup, record = _EVENT.search(text), _OBJECT_LINE.search(text) or _EMPTY_ARRAY.search(text)
    if classic and not any(m and m.start() < classic.start() for m in (markup, record)):
        return Format.CLASSIC_TEXT
    if record and not (markup and markup.start() < record.start()):
        return Format.FDR if _FDR_KEY.search(text) else Format.JSON_EVENTS
    return Format.EVENT_XML if markup else None


def has_objects_between_lines(head: bytes, found: Format | None) -> bool:
    """Whether what was found is an object or element here and there, among as many other lines.

    >>> has_objects_between_lines(b'May 1 web1 a\\nMay 1 web1 b\\n{"c": 1}\\n', Format.JSON_EVENTS)
    True
    >>> has_objects_between_lines(b'started\\n{"c": 1}\\n{"c": 2}\\n', Format.JSON_EVENTS)
    False
    """
    if found not in (Format.JSON_EVENTS, Format.EVENT_XML):
        return False
    lines = [line for line in head.split(b"\n") if line.strip(b"\0 \t\r")]
    if _OPENING.match(lines[0]):
        return False
    opening = [line for line in lines if _OPENING.match(line)]
    bare = [n for n in lines if n[:1].strip(b'}]" \t\0') and not _OPENING.match(n)]
    # Behind a header of syslog an element is the event.
    return len(bare) >= len(opening) and not any(_EVENT.search(line) for line in bare)


def find_delimiter(header: str) -> str:
    """What stands between the names of a CSV's header.

    >>> find_delimiter("Level;Date and Time;Source")
    ';'
    """
    return max(_DELIMITERS, key=header.count)


def _looks_like_csv(text: bytes) -> bool:
    """Whether the first line is a header with a log's columns, and a second has as many values."""
    lines = text.lstrip().split(b"\n", 2)
    if len(lines) < 2 or not lines[1].strip():
        return False
    header, row = (line.decode("utf-8", "replace").strip() for line in lines[:2])
    delimiter = find_delimiter(header)
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    return (
        len(names) >= 2
        and len(set(names)) == len(names)
        and all(_HEADER_CELL.fullmatch(name) for name in names)
        and any(_LOG_COLUMN.search(name) for name in names)
        and row.count(delimiter) >= len(names) - 1
        and not header.startswith(("{", "[", "<"))
    )
