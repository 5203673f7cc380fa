"""CSV with a header -> events; ``reading`` calls it.

A row is an object of its columns, so it may be of any shape that JSON may have: EvtxECmd's CSV,
Splunk's export with an event in ``_raw``, a table of Log Analytics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import orjson
import pyarrow as pa

from escudo.sources.events import Events
from escudo.sources.format_detection import find_delimiter
from escudo.sources.formats.json_forms import read_forms
from escudo.sources.formats.json_leaves import read_by_line
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import DamagedError, cut_after, read_pieces, repair_utf8
from escudo.sources.opening import LogStream

_BLOCK_BYTES = 4 << 20
"""Bytes that are parsed together; each row becomes an object for a while (2026-11)."""
_LONGEST_ROW = 8 << 20
"""Characters. A quote that is never closed ends with so many."""
_SURPLUS = "Message"
"""Event Viewer's export has the message behind the columns that its header names."""


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The rows of a stream as events, and those that cannot be read."""
    with stream.open() as opened:
        header: list[str] | None = None
        delimiter = ","
        rows: list[dict[str, str]] = []
        raws: list[str] = []
        size = 0
        try:
            for number, text, whole in _records(
                cut_after(read_pieces(opened), b"\n", size=1 << 20)
            ):
                text = text.strip("\0")  # what a crash leaves around a row
                if not text.strip():
                    continue
                if header is None:
                    delimiter = find_delimiter(text)
                    header = [name.strip() for name in split_record(text, delimiter)]
                    continue
                if not whole:
                    excerpt = text.encode()[:EXCERPT_BYTES]
                    message = "a quote that is not closed"
                    yield Rejected(stream.name, f"line {number}", "SRC033", message, excerpt)
                    continue
                if "\0" in text:
                    excerpt = text.encode()[:EXCERPT_BYTES]
                    message = "a row with a NUL byte"
                    yield Rejected(stream.name, f"line {number}", "SRC034", message, excerpt)
                    continue
                names = [*header, _SURPLUS]
                values = split_record(text, delimiter)
                row = {n: v for n, v in zip(names, values, strict=False) if v and n}
                if row:
                    rows.append(row)
                    raws.append(row.get("_raw", text))
                    size += len(text)
                if size >= _BLOCK_BYTES:
                    yield from _events(rows, raws)
                    rows, raws, size = [], [], 0
        except DamagedError as error:
            yield from _events(rows, raws)
            yield Rejected(stream.name, "the end", "SRC006", str(error), b"")
            return
        yield from _events(rows, raws)


def _records(blocks: Iterator[bytes]) -> Iterator[tuple[int, str, bool]]:
    """Each record with the number of its first line, and whether its quotes are closed.

    A record goes on over line ends for as long as a quote is open.
    """
    held: list[str] = []
    quotes = length = number = 0
    first = 1
    for block in blocks:
        for line in repair_utf8(block).decode().splitlines(keepends=True):
            number += 1
            if not held:
                first = number
            held.append(line)
            quotes += line.count('"')
            length += len(line)
            if quotes % 2 == 0 and line.endswith("\n"):
                yield first, "".join(held).rstrip("\r\n"), True
            elif length > _LONGEST_ROW:
                yield first, "".join(held), False
            else:
                continue
            held, quotes, length = [], 0, 0
    if held:
        yield first, "".join(held).rstrip("\r\n"), quotes % 2 == 0


def split_record(text: str, delimiter: str) -> list[str]:
    """The values of a record; a doubled quote within quotes is one.

    >>> split_record('a,"b ""c"", d",', ",")
    ['a', 'b "c", d', '']
    """
    pattern = re.compile(
        rf'(?:"((?:[^"]|"")*)"|([^{re.escape(delimiter)}]*))(?:{re.escape(delimiter)}|$)'
    )
    values: list[str] = []
    at = 0
    while at <= len(text):
        match = pattern.match(text, at)
        if match is None:  # text behind a closing quote: the field as it stands
            stop = text.find(delimiter, at)
            stop = len(text) if stop < 0 else stop
            values.append(text[at:stop])
            at = stop + 1
            continue
        values.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        if match.end() == len(text) and not match[0].endswith(delimiter):
            break
        at = match.end()
    return values


def _events(rows: list[dict[str, str]], raws: list[str]) -> Iterator[Events]:
    if not rows:
        return
    raw = pa.array(raws, pa.string())
    objects = pa.array([orjson.dumps(row).decode() for row in rows], pa.string())
    for _, numbers, fields in read_forms(read_by_line(rows), len(rows), objects):
        kept = {n: v for n, v in fields.items() if n != "_raw"}
        taken = raw if numbers is None else raw.take(pa.array(np.asarray(numbers)))
        yield Events(kept, taken)
