"""Event XML -> events: one a line, many on a line, over many lines, or in ``<Events>``.

``reading`` calls it, and the reader of EVTX, whose records are such XML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from escudo.sources.events import Events, PendingEvents
from escudo.sources.formats.bytesviews import (
    PADDING,
    Positions,
    Words,
    cut_texts,
    find_bytes,
    pack_word,
    view_words,
)
from escudo.sources.formats.event_columns import build_events
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import DamagedError, cut_after, read_pieces, repair_utf8
from escudo.sources.formats.xml_element import Field, NotAnEventError, read_event_fields
from escudo.sources.formats.xml_shapes import Frames, Group, Shapes
from escudo.sources.opening import LogStream

_BLOCK_BYTES = 16 * 1024 * 1024
"""Bytes of text whose events are framed together. 2026-11-24, 2 cores: 10 GB of event XML come into
a lake in 874 MB of memory."""
_END = b"</Event>"
_BETWEEN = b"\0\0"
_START = re.compile(rb"<Event(?=[\s>/])")
_PREFIXED = re.compile(rb"<([A-Za-z_][\w.-]*):Event(?=[\s>])")
_EDGE = re.compile(rb"<!\[CDATA\[.*?\]\]>|<Event(?=[\s>])|</Event\s*>", re.DOTALL)
_HIDDEN_EDGE = re.compile(rb"<!\[CDATA\[(?:(?!\]\]>).)*?</?Event", re.DOTALL)
_WRAPPING = re.compile(rb"<\?xml.*?\?>|</?Events(?:\s[^>]*)?>|<!--.*?-->|\xef\xbb\xbf", re.DOTALL)
_AFTER_NAME = np.zeros(256, dtype=bool)
_AFTER_NAME[list(b" \t\r\n>/")] = True
_BLANK = np.zeros(256, dtype=bool)
_BLANK[list(b" \t\r\n\0")] = True


def read(stream: LogStream) -> Iterator[Events | PendingEvents | Rejected]:
    """The events of a stream, a block at a time, and what is between them but is none."""
    line = 1
    shapes = Shapes()
    with stream.open() as opened:
        try:
            for block in cut_after(
                drop_prefix(read_pieces(opened)), _END, size=_BLOCK_BYTES, padding=PADDING
            ):
                yield from read_padded(repair_utf8(block), shapes, stream.name, line)
                line += block.count(b"\n")
        except DamagedError as error:
            yield Rejected(stream.name, f"line {line}", error.code, str(error), b"")


def drop_prefix(source: Iterator[bytes]) -> Iterator[bytes]:
    """The same text, the prefix of the namespace taken from its tags if the first event has one.

    >>> b"".join(drop_prefix(iter([b"<e:Event xmlns:e='x'><e:Sys", b"tem/><", b"/e:Event>"])))
    b"<Event xmlns:e='x'><System/></Event>"
    """
    first = next(source, b"")
    prefixed = _PREFIXED.search(first)
    plain = _START.search(first)
    if prefixed is None or (plain is not None and plain.start() < prefixed.start()):
        yield first
        yield from source
        return
    tag = re.compile(rb"<(/?)" + re.escape(prefixed[1]) + rb":")
    kept = b""
    for piece in chain([first], source):
        text = kept + piece
        stop = text.rfind(b"<", max(0, len(text) - len(prefixed[1]) - len(b"</:")))
        stop = len(text) if stop < 0 else stop
        kept = text[stop:]
        yield tag.sub(rb"<\1", text[:stop])
    yield tag.sub(rb"<\1", kept)


def read_padded(
    buffer: bytes, shapes: Shapes, name: str, line: int = 1, *, later: list[bytes] | None = None
) -> Iterator[Events | PendingEvents | Rejected]:
    """The events of a text, which must be valid UTF-8 and have PADDING zero bytes behind it: by
    shape where that is possible.

    Well-framed events of no shape are read one by one, or are put into ``later`` if it is given:
    together with those of the next block they may be many enough to be read by shape.
    """
    size = len(buffer) - PADDING
    slow = _Slow(name, buffer, line, shapes.form)
    if b"<![CDATA[" in buffer and _HIDDEN_EDGE.search(buffer):
        yield from slow.stretch(0, size)
        return
    frames, begin, strange = _frames(buffer, size)
    for start, stop in strange:
        yield from slow.stretch(start, stop)
    if len(begin) == 0:
        return
    data = pa.py_buffer(buffer)
    ends = frames.tags[frames.last] + len(_END)
    unread = np.ones(len(begin), dtype=bool)
    for group in shapes.groups(frames):
        unread[group.numbers] = False
        starts = begin[group.numbers]
        lengths = ends[group.numbers] - starts
        yield PendingEvents(partial(_build_events, group, data, starts, lengths))
    left = np.flatnonzero(unread)
    if later is not None:
        later += [buffer[a:b] for a, b in zip(begin[left], ends[left], strict=True)]
    elif len(left):
        opens = frames.tags[frames.first[left]]
        yield from slow.whole(begin[left].tolist(), opens.tolist(), ends[left].tolist())


def _build_events(group: Group, data: pa.Buffer, starts: Positions, lengths: Positions) -> Events:
    fields, rendered = group.columns()
    return Events(fields, cut_texts(data, starts, lengths) if rendered is None else rendered)


def _frames(buffer: bytes, size: int) -> tuple[Frames, Positions, list[tuple[int, int]]]:
    """The plain events of a text and where their raw text begins, and the stretches beside.

    A plain event is an ``<Event`` with an ``</Event>`` before the next one. A stretch is anything
    else that is not blank; it ends where a plain event's raw text begins.
    """
    words = view_words(buffer)
    tags = find_bytes(buffer, 0x3C, size)
    head = words[tags]
    closing = np.flatnonzero(head == pack_word(_END))
    named = (head & np.uint64(0xFFFFFFFFFFFF)) == pack_word(b"<Event")
    opening = np.flatnonzero(named & _AFTER_NAME[(head >> np.uint64(48)).astype(np.uint8)])
    opener = np.searchsorted(opening, closing) - 1
    previous = np.concatenate(([-1], closing[:-1]))
    first = opening[np.maximum(opener, 0)] if len(opening) else np.zeros(len(closing), np.int64)
    before = np.concatenate(([-1], opener[:-1]))
    plain = (opener >= 0) & (first > previous) & (opener == before + 1)
    ends = tags[closing] + len(_END) if len(closing) else closing
    begin = tags[first] if len(closing) else closing
    gap_start = np.concatenate(([0], ends[:-1])) if len(closing) else closing
    begin, strange = _gaps(buffer, words, gap_start, begin, ends, plain)
    tail = int(ends[-1]) if len(ends) else 0
    if buffer[tail:size].strip():
        strange.append((tail, size))
    return Frames(buffer, words, tags, first[plain], closing[plain]), begin[plain], strange


def _gaps(
    buffer: bytes,
    words: Words,
    gap_start: Positions,
    begin: Positions,
    ends: Positions,
    plain: npt.NDArray[np.bool_],
) -> tuple[Positions, list[tuple[int, int]]]:
    """Where each event's raw text begins (the header of its line included), and the stretches."""
    length = begin - gap_start
    first_two = _BLANK[(words[gap_start] & np.uint64(0xFF)).astype(np.uint8)] & (
        (length < 2)
        | _BLANK[((words[gap_start] >> np.uint64(8)) & np.uint64(0xFF)).astype(np.uint8)]
    )
    easy = plain & ((length == 0) | ((length <= 2) & first_two))
    begin = begin.copy()
    strange: list[tuple[int, int]] = []
    for number in np.flatnonzero(~easy).tolist():
        start, stop = int(gap_start[number]), int(begin[number])
        if not plain[number]:
            strange.append((start, int(ends[number])))
            continue
        gap = buffer[start:stop]
        if not gap.strip():
            continue
        header = gap.rpartition(b"\n")[2]
        if header.strip() and not _WRAPPING.sub(b"", header).strip():
            header = b""
        elif header.strip():
            header = header.lstrip()
            begin[number] = stop - len(header)
        if gap[: len(gap) - len(header)].strip():
            strange.append((start, stop - len(header)))
    return begin, strange


@dataclass(frozen=True, slots=True)
class _Slow:
    """Events read one by one with a true XML parser."""

    name: str
    data: bytes
    line: int
    form: Callable[[bytes], bytes] | None
    rows: list[dict[str, Field]] = field(default_factory=list)
    raws: list[str] = field(default_factory=list)

    def whole(
        self, begins: Sequence[int], opens: Sequence[int], ends: Sequence[int]
    ) -> Iterator[Events | Rejected]:
        """Events whose places are known."""
        texts = self._formed([self.data[a:b] for a, b in zip(opens, ends, strict=True)])
        for begin, start, stop, text in zip(begins, opens, ends, texts, strict=True):
            yield from self._event(begin, start, stop, text)
        yield from self._done()

    def _formed(self, texts: list[bytes]) -> list[bytes]:
        """Events without their layout; to take it from all of them at once costs a tenth."""
        if self.form is None:
            return texts
        formed = self.form(_BETWEEN.join(texts)).split(_BETWEEN)
        return formed if len(formed) == len(texts) else [self.form(text) for text in texts]

    def stretch(self, start: int, stop: int) -> Iterator[Events | Rejected]:
        """Whatever events a stretch of text has, and what is none."""
        at = start
        opened: int | None = None
        for edge in _EDGE.finditer(self.data, start, stop):
            if edge[0] == b"<Event":
                opened = edge.start() if opened is None else opened
            elif opened is not None and edge[0].startswith(b"</"):
                yield from self._between(at, opened)
                at = edge.end()
                (text,) = self._formed([self.data[opened:at]])
                yield from self._event(opened, opened, at, text)
                opened = None
        tail = _START.search(self.data, at, stop)
        yield from self._between(at, tail.start() if tail else stop)
        if tail:
            yield self._rejected(tail.start(), stop, "SRC020", "an event that breaks off")
        yield from self._done()

    def _done(self) -> Iterator[Events]:
        if self.rows:
            yield build_events(self.rows, self.raws)
        self.rows.clear()
        self.raws.clear()

    def _event(self, begin: int, start: int, stop: int, text: bytes) -> Iterator[Rejected]:
        header = self.data[begin:start]
        try:
            fields = read_event_fields(text.decode())
        except NotAnEventError as error:
            inner = [m.start() for m in _START.finditer(self.data, start + 1, stop)]
            yield self._rejected(start, inner[-1] if inner else stop, error.code, str(error))
            if inner:
                # A truncated event has swallowed the start of the next one.
                (text,) = self._formed([self.data[inner[-1] : stop]])
                yield from self._event(inner[-1], inner[-1], stop, text)
            return
        self.rows.append(fields)
        self.raws.append((header + text).decode())

    def _between(self, start: int, stop: int) -> Iterator[Rejected]:
        """The lines between events that are not the wrapping of a document."""
        gap = self.data[start:stop]
        if not gap.strip():
            return
        first = self.line + self.data.count(b"\n", 0, start)
        for number, text in enumerate(_WRAPPING.sub(b"", gap).split(b"\n"), first):
            if text.strip():
                excerpt = text.strip()[:EXCERPT_BYTES]
                yield Rejected(
                    self.name, f"line {number}", "SRC021", "text outside of an event", excerpt
                )

    def _rejected(self, start: int, stop: int, code: str, message: str) -> Rejected:
        at = self.line + self.data.count(b"\n", 0, start)
        return Rejected(
            self.name, f"line {at}", code, message, self.data[start:stop][:EXCERPT_BYTES]
        )
