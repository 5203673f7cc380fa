"""A stream of text -> events, each part in the form of its source; ``reading`` calls it.

The source that is given decides, else the first lines; lines that are none of that source's are
looked at one by one, and those of no source are events of the general one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.events import Events
from escudo.sources.format_detection import HEAD_BYTES
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import LONGEST_EVENT, DamagedError, cut_after, read_pieces
from escudo.sources.lines.extraction import extract, extract_columns
from escudo.sources.lines.framing import count_lines, join_lines, split_lines
from escudo.sources.lines.headers import HeaderReader, OddRows
from escudo.sources.lines.recognition import Recogniser, TextSource, fits
from escudo.sources.opening import LogStream

_BLOCK_BYTES = 4 << 20
"""Bytes that are read into columns together. Smaller blocks make more pieces, which batches are put
together of: with a megabyte a delimited log took a fifth longer (2026-11-30)."""
_NUL = "\0"
_UNKNOWN = "unknown"
_LAST_LINES = 500
"""Lines of a block's end that are looked through for the records of its last event."""


def read(
    stream: LogStream, recogniser: Recogniser, given: TextSource | None, general: TextSource
) -> Iterator[Events | Rejected]:
    """The events of a stream, each with the name of its source, and what of it is no event.

    ``given`` is the source of all events, where their labels say it and it is one of text.
    """
    source = given if given is not None and given.text is not None else None
    reader = LineReader(recogniser, general, stream.name, stream.modified or time.time())
    with stream.open() as opened:
        try:
            for block in cut_after(read_pieces(opened), b"\n", size=_BLOCK_BYTES):
                if reader.source is None:
                    reader.choose(source or recogniser.find_first(block[:HEAD_BYTES]) or general)
                    reader.decided = source is not None
                yield from reader.read(block)
        except DamagedError as error:
            yield from reader.end()
            yield Rejected(stream.name, f"line {reader.line}", error.code, str(error), b"")
            return
    yield from reader.end()


@dataclass
class LineReader:
    """Reads the blocks of one stream, which end where lines end."""

    recogniser: Recogniser
    general: TextSource
    name: str
    latest: float
    source: TextSource | None = None
    decided: bool = False
    line: int = 1
    _header: HeaderReader | None = None
    _held: pa.Array | None = None

    def choose(self, source: TextSource) -> None:
        """Says which source's form the stream has."""
        self.source = source
        assert source.text is not None
        self._header = HeaderReader(source.text) if source.text.header is not None else None

    def read(self, block: bytes) -> Iterator[Events | Rejected]:
        """The events of one more block."""
        first = self.line
        self.line += count_lines(block)
        lines, numbers = split_lines(block)
        if not len(lines):
            return
        if _NUL.encode() in block:
            torn = pc.match_substring(lines, _NUL)
            # A crash leaves NUL bytes before a line that is whole; within one, something is lost.
            lines = pc.if_else(torn, pc.utf8_trim(lines, _NUL), lines)
            torn = pc.or_(pc.match_substring(lines, _NUL), pc.and_(torn, pc.equal(lines, "")))
            rows = np.flatnonzero(torn.to_numpy(zero_copy_only=False))
            yield from self._reject(
                lines, rows, first + numbers, "SRC034", "a line with a NUL byte"
            )
            whole = ~torn.to_numpy(zero_copy_only=False)
            lines, numbers = lines.filter(pa.array(whole)), numbers[whole]
        assert self.source is not None
        form = self.source.text
        assert form is not None
        if self._header is not None:
            yield from self._read_rows(lines, first + numbers)
        elif form.starts is not None:
            yield from self._read_long(lines, form.starts, first)
        elif form.records is not None:
            lines = self._with_held(lines)
            ended = len(lines) - _count_last(lines, form.records.mark)
            self._held = lines.slice(ended)
            yield from self._read_lines(lines.slice(0, ended))
        else:
            yield from self._read_lines(lines)

    def end(self) -> Iterator[Events | Rejected]:
        """What was held back for more to come."""
        held, self._held = self._held, None
        if held is None or not len(held):
            return
        assert self.source is not None
        assert self.source.text is not None
        if self.source.text.starts is not None:
            yield self._make(pa.array(["\n".join(held.to_pylist())], pa.string()), self.source)
        else:
            yield from self._read_lines(held)

    def _with_held(self, lines: pa.Array) -> pa.Array:
        held, self._held = self._held, None
        return lines if held is None or not len(held) else pa.concat_arrays([held, lines])

    def _read_lines(self, lines: pa.Array) -> Iterator[Events]:
        """The events of lines, one each."""
        if not len(lines):
            return
        source = self.source
        assert source is not None
        assert source.text is not None
        if self.decided:
            yield self._make(lines, source)
            return
        left = np.ones(len(lines), dtype=bool)
        if source is not self.general:
            fit = fits(lines, source.text)
            if fit.any():
                yield self._make(lines if fit.all() else lines.filter(pa.array(fit)), source)
            left = ~fit
        if not left.any():
            return
        others = lines.filter(pa.array(left))
        found = self.recogniser.find_each(others)
        for number in np.unique(found).tolist():
            here = others.filter(pa.array(found == number))
            other = self.general if number < 0 else self.recogniser.sources[number]
            yield self._make(here, other)

    def _read_long(self, lines: pa.Array, starts: str, first: int) -> Iterator[Events | Rejected]:
        lines = self._with_held(lines)
        before, events, rest = join_lines(lines, starts)
        if len(before):
            text = "\n".join(before.to_pylist()).encode()[:EXCERPT_BYTES]
            message = "text before the first event"
            yield Rejected(self.name, f"line {first}", "SRC021", message, text, len(before))
        if len(rest) and pc.sum(pc.binary_length(rest)).as_py() > LONGEST_EVENT:
            assert self.source is not None
            yield self._make(pa.array(["\n".join(rest.to_pylist())], pa.string()), self.source)
            rest = rest.slice(0, 0)
        self._held = rest
        if len(events):
            assert self.source is not None
            yield self._make(events, self.source)

    def _read_rows(self, lines: pa.Array, numbers: np.ndarray) -> Iterator[Events | Rejected]:
        source = self.source
        assert self._header is not None
        assert source is not None
        assert source.text is not None
        for rows in self._header.read(lines):
            if isinstance(rows, OddRows) and rows.alone and source.text.read:
                yield self._make(rows.texts, source)  # rows alone, in the order that is usual
                continue
            if isinstance(rows, OddRows):
                before = rows.before or rows.alone
                code = "SRC021" if before else "SRC035"
                message = "text before the header" if before else "not as many values as names"
                places = numbers[rows.numbers]
                yield from self._reject(rows.texts, np.arange(len(places)), places, code, message)
                continue
            made = extract_columns(rows.columns, source.text, raw=rows.texts, latest=self.latest)
            hosts = _fill_hosts(made.hosts, len(rows.texts))
            yield replace(made, family=source.name, hosts=hosts)

    def _make(self, texts: pa.Array, source: TextSource) -> Events:
        assert source.text is not None
        made = extract(texts, source.text, latest=self.latest)
        return replace(made, family=source.name, hosts=_fill_hosts(made.hosts, len(texts)))

    def _reject(
        self, texts: pa.Array, rows: np.ndarray, lines: np.ndarray, code: str, message: str
    ) -> Iterator[Rejected]:
        for row in rows.tolist():
            excerpt = texts[row].as_py().encode()[:EXCERPT_BYTES]
            yield Rejected(self.name, f"line {int(lines[row])}", code, message, excerpt)


def _fill_hosts(hosts: pa.Array | None, size: int) -> pa.Array:
    """The hosts of lines; one that names none is of an unknown host, so that groups by host have
    it, as they have in Splunk, whose forwarder names itself."""
    if hosts is None:
        return pa.repeat(pa.scalar(_UNKNOWN), size)
    return pc.fill_null(hosts, _UNKNOWN)


def _count_last(lines: pa.Array, mark: str) -> int:
    """How many lines at the end have the mark of the last one: the records of one event."""
    last = lines.slice(max(0, len(lines) - _LAST_LINES))
    marks = pc.extract_regex(last, mark).field("mark")
    if not len(marks) or not marks[-1].is_valid:
        return 0
    same = pc.fill_null(pc.equal(marks, marks[-1]), False).to_numpy(zero_copy_only=False)
    other = np.flatnonzero(~same)
    return len(last) - (int(other[-1]) + 1 if len(other) else 0)
