"""JSON -> events: an object a line, one after the other, or in an array; ``reading`` calls it."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from escudo.core.prefetch import prefetch
from escudo.sources.events import Events
from escudo.sources.formats.bytesviews import Positions, cut_texts, find_bytes
from escudo.sources.formats.json_blocks import Lines, cut_blocks
from escudo.sources.formats.json_columns import JsonLines, view_bytes
from escudo.sources.formats.json_forms import read_forms
from escudo.sources.formats.json_leaves import Path, read_by_line
from escudo.sources.formats.json_stream import cut_objects, find_events
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import PATIENCE_SECONDS, DamagedError, cut_after, read_pieces
from escudo.sources.opening import LogStream

_ARRAY_LINE_END = re.compile(rb"\}[ \t]*,[ \t]*(?=\r?\n|\r?$)")
_ARRAY_EDGE = re.compile(rb"(?m)^([ \t]*\[?)(\{.*\})(\]?[ \t]*)(?=\r?$)")
_BRACKET_LINE = re.compile(rb"(?m)^[ \t]*[\[\]][ \t]*,?[ \t]*(?=\r?$)")

_AHEAD = 1
"""Blocks that are cut out of the text while one is parsed (2026-11-24, 2 cores: 8 % less time)."""

_HEAD_BYTES = 1 << 20
"""Bytes that are held back, at most, until it shows whether events are one a line."""
_TEXT_BYTES = 12 << 20
"""Bytes that are parsed together of events that are not one a line."""

_BRACE, _BRACE_END, _LINE_END = b"{}\n"
_NUL = "\0"
_BLANK = np.zeros(256, dtype=bool)
_BLANK[list(b" \t\r")] = True


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The events of a stream, and what of it is no event."""
    line = stream.first_line
    reader = JsonLines()
    with stream.open() as opened:
        try:
            head, source = _with_head(read_pieces(opened))
            items: Iterator[Lines | bytes | Rejected] = cut_blocks(source, reader)
            if not is_lines(head):
                text = cut_after(source, b"\n", size=_TEXT_BYTES)
                items = _in_blocks(cut_objects(text, stream.name), reader)
            for block in prefetch(items, _AHEAD):
                match block:
                    case Rejected():
                        yield block
                    case Lines():
                        line += yield from _read_lines(block, reader, stream.name, line)
                    case bytes():
                        line += yield from _read_text(block, reader, stream.name, line)
        except DamagedError as error:
            yield Rejected(stream.name, f"line {line}", error.code, str(error), b"")


def read_object_lines(source: Iterator[bytes], name: str) -> Iterator[Events | Rejected]:
    """The events of pieces of text that have an object a line, made by another reader."""
    line = 1
    reader = JsonLines()
    try:
        for block in prefetch(cut_blocks(source, reader), _AHEAD):
            if isinstance(block, Lines):
                line += yield from _read_lines(block, reader, name, line)
            else:
                line += yield from _read_text(block, reader, name, line)
    except DamagedError as error:
        yield Rejected(name, f"row {line}", error.code, str(error), b"")


def _with_head(source: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, enough to see how events are written, and all of the source."""
    head: list[bytes] = []
    began = time.monotonic()
    try:
        for piece in source:
            head.append(piece)
            late = time.monotonic() - began >= PATIENCE_SECONDS
            if sum(map(len, head)) >= _HEAD_BYTES or (late and b"\n" in piece):
                break
    except DamagedError as error:
        source = _broken_off(error)
    return b"".join(head), chain(head, source)


def _broken_off(error: DamagedError) -> Iterator[bytes]:
    raise error
    yield


def _in_blocks(
    items: Iterator[bytes | Rejected], reader: JsonLines
) -> Iterator[Lines | bytes | Rejected]:
    for item in items:
        if isinstance(item, Rejected):
            yield item
        else:
            yield from cut_blocks(iter((item,)), reader)


def is_lines(head: bytes) -> bool:
    """Whether the events stand one a line: some of the first lines are whole objects."""
    for text in head.split(b"\n", 20)[:20]:
        candidate = text.strip().removeprefix(b"[").removesuffix(b",").removesuffix(b"]")
        try:
            value = orjson.loads(candidate)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            return find_events(value) == [value]
    return False


def _read_lines(
    lines: Lines, reader: JsonLines, name: str, first: int
) -> Generator[Events | Rejected, None, int]:
    """The events of lines; how many lines."""
    size = len(lines.text)
    try:
        yield from _events(lines.text, reader.columns(lines.text, lines.keys))
    except ValueError:
        yield from _one_by_one(lines.text, np.arange(size), name, first)
    return size


def _read_text(
    block: bytes, reader: JsonLines, name: str, first: int
) -> Generator[Events | Rejected, None, int]:
    """The events of a text with an object a line, which must be valid UTF-8; how many lines."""
    if not block:
        return 0
    ends = find_bytes(block, _LINE_END, len(block))
    lines, numbers, odd = _lines(block, ends)
    if odd:
        block = _BRACKET_LINE.sub(lambda m: b" " * len(m[0]), block)
        block = _ARRAY_LINE_END.sub(lambda m: b"}" + b" " * (len(m[0]) - 1), block)
        block = _ARRAY_EDGE.sub(lambda m: b" " * len(m[1]) + m[2] + b" " * len(m[3]), block)
        lines, numbers, odd = _lines(block, ends)
    if len(lines) == 0:
        return len(ends)
    if not odd:
        try:
            yield from _events(lines, reader.columns(lines, reader.count(view_bytes(lines))))
        except ValueError:
            odd = True
    if odd:
        yield from _one_by_one(lines, numbers, name, first)
    return len(ends)


def _one_by_one(
    lines: pa.Array, numbers: npt.NDArray[np.intp], name: str, first: int
) -> Iterator[Events | Rejected]:
    good: list[str] = []
    events: list[Mapping[str, Any]] = []
    numbered = zip(lines.to_pylist(), numbers.tolist(), strict=True)
    for text, number in ((t, n) for line, n in numbered for t in _between_nuls(line)):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            code, message = "SRC030", f"not valid JSON: {error}"
        else:
            if isinstance(value, dict):
                good.append(text)
                events.append(value)
                continue
            code, message = "SRC031", "a JSON value that is not an object"
        yield Rejected(name, f"line {first + number}", code, message, text.encode()[:EXCERPT_BYTES])
    if good:
        group = (np.arange(len(good)), read_by_line(events))
        yield from _events(pa.array(good, pa.string()), iter((group,)))


def _between_nuls(line: str) -> list[str]:
    """What stands in a line between the NUL bytes that a crash leaves; a line of nothing else."""
    return [text for text in line.split(_NUL) if text] or [line]


def _lines(block: bytes, ends: Positions) -> tuple[pa.Array, npt.NDArray[np.intp], bool]:
    """The lines that are not blank, trimmed; their numbers from 0; whether any is no object."""
    plain = np.frombuffer(block, np.uint8)
    starts = np.concatenate(([0], ends + 1))
    ends = np.append(ends, len(block))
    for _ in range(64):
        blank = (ends > starts) & _BLANK[plain[np.maximum(ends - 1, 0)]]
        if not blank.any():
            break
        ends = ends - blank
    for _ in range(64):
        blank = (ends > starts) & _BLANK[plain[np.minimum(starts, len(block) - 1)]]
        if not blank.any():
            break
        starts = starts + blank
    numbers = np.flatnonzero(ends > starts)
    starts, ends = starts[numbers], ends[numbers]
    odd = bool(np.any(plain[starts] != _BRACE) or np.any(plain[ends - 1] != _BRACE_END))
    return cut_texts(pa.py_buffer(block), starts, ends - starts), numbers, odd


def _events(
    lines: pa.Array, groups: Iterator[tuple[npt.NDArray[np.intp], dict[Path, pa.Array]]]
) -> list[Events]:
    events = []
    for numbers, paths in groups:
        raw = lines if len(numbers) == len(lines) else lines.take(pa.array(numbers))
        if not paths:
            events.append(Events({}, raw))
            continue
        for _, rows, fields in read_forms(paths, len(raw), raw):
            events.append(Events(fields, raw if rows is None else raw.take(pa.array(rows))))
    return events
