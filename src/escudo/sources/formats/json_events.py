"""JSON: an object a line, objects one after the other, or an array of them."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from escudo.core.prefetch import prefetch
from escudo.sources.assemble import Events
from escudo.sources.formats.bytesviews import Positions, positions, text_column
from escudo.sources.formats.json_columns import JsonLines, Path, by_line
from escudo.sources.formats.json_forms import fields_by_form
from escudo.sources.formats.json_stream import members, objects
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import DamagedError, cut_after, pieces, valid_utf8
from escudo.sources.opening import LogStream

_ARRAY_LINE_END = re.compile(rb"\}[ \t]*,[ \t]*(?=\r?\n|\r?$)")
_ARRAY_EDGE = re.compile(rb"(?m)^([ \t]*\[?)(\{.*\})(\]?[ \t]*)(?=\r?$)")
_BRACKET_LINE = re.compile(rb"(?m)^[ \t]*[\[\]][ \t]*,?[ \t]*(?=\r?$)")

_AHEAD = 1

_BLOCK_BYTES = 12 << 20
"""Smaller blocks than those of XML: a block, its lines and their columns are in memory at once."""

_BRACE, _BRACE_END, _LINE_END = b"{}\n"
_BLANK = np.zeros(256, dtype=bool)
_BLANK[list(b" \t\r")] = True


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The events of a stream, and what of it is no event."""
    line = 1
    reader = JsonLines()
    with stream.open() as opened:
        try:
            source = cut_after(pieces(opened), b"\n", size=_BLOCK_BYTES)
            head = next(source, b"")
            whole: Iterator[bytes | Rejected] = chain((head,), source)
            if not _is_lines(head):
                whole = objects(chain((head,), source), stream.name)
            for block in prefetch(whole, _AHEAD):
                if isinstance(block, Rejected):
                    yield block
                else:
                    line += yield from _read_lines(valid_utf8(block), reader, stream.name, line)
        except DamagedError as error:
            yield Rejected(stream.name, f"line {line}", "SRC006", str(error), b"")


def _is_lines(head: bytes) -> bool:
    """Whether the events stand one a line: some of the first lines are whole objects."""
    for text in head.split(b"\n", 20)[:20]:
        candidate = text.strip().removeprefix(b"[").removesuffix(b",").removesuffix(b"]")
        try:
            value = orjson.loads(candidate)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            return members(value) == [value]
    return False


def _read_lines(
    block: bytes, reader: JsonLines, name: str, first: int
) -> Generator[Events | Rejected, None, int]:
    """The events of a text with an object a line, which must be valid UTF-8; how many lines."""
    if not block:
        return 0
    ends = positions(block, _LINE_END, len(block))
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
            yield from _events(lines, reader.columns(lines))
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
    for text, number in zip(lines.to_pylist(), numbers.tolist(), strict=True):
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
        numbered = (np.arange(len(good)), by_line(events))
        yield from _events(pa.array(good, pa.string()), iter((numbered,)))


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
    return _column(block, starts, ends), numbers, odd


def _column(block: bytes, starts: Positions, ends: Positions) -> pa.Array:
    """The lines as a string array; without blanks around them, in a quarter of the time."""
    size = len(starts)
    if size == 0 or starts[0] or ends[-1] + 1 < len(block) or (starts[1:] != ends[:-1] + 1).any():
        return text_column(pa.py_buffer(block), starts, ends - starts)
    offsets = np.append(starts, ends[-1] + 1)
    offsets -= np.arange(size + 1)
    buffers = [pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(block.replace(b"\n", b""))]
    return pa.Array.from_buffers(pa.string(), size, [None, *buffers])


def _events(
    lines: pa.Array, groups: Iterator[tuple[npt.NDArray[np.intp], dict[Path, pa.Array]]]
) -> list[Events]:
    found = []
    for numbers, paths in groups:
        raw = lines if len(numbers) == len(lines) else lines.take(pa.array(numbers))
        if not paths:
            found.append(Events({}, raw))
            continue
        for _, rows, fields in fields_by_form(paths, len(raw)):
            found.append(Events(fields, raw if rows is None else raw.take(pa.array(rows))))
    return found
