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
from escudo.sources.formats.text import (
    LONGEST_EVENT,
    DamagedError,
    cut_after,
    read_pieces,
    repair_utf8,
)
from escudo.sources.formats.xml_element import Field, NotAnEventError, read_event_fields
from escudo.sources.formats.xml_shapes import Frames, Group, Shapes
from escudo.sources.opening import LogStream

_BLOCK_BYTES = 16 * 1024 * 1024
"""Bytes of text whose events are framed together. 2026-11-24, 2 cores: 10 GB of event XML come into
a lake in 874 MB of memory."""
_END = b"</Event>"
_BETWEEN = b"\0\0"
_START = re.compile(rb"<Event(?=[\s>/])")
_WHOLE_START = re.compile(rb"<Event(?:\s[^<>]*)?>\s*<System[\s/>]")
"""An event's start, told from an element of that name inside of an event by what comes first."""
_RECORD = re.compile(rb"<EventRecordID>(\d+)<")
_SYSTEM = pack_word(b"<System")
_SEVEN_BYTES = np.uint64((1 << 56) - 1)
_PREFIXED = re.compile(rb"<([A-Za-z_][\w.-]*):Event(?:\s[^<>]*)?>\s*<\1:System[\s/>]")
_PREFIX_START = re.compile(rb"<[A-Za-z_][\w.-]*:Event[\s>]")
_PREFIX_SPACE = 2048
"""Bytes from an event's start to its System element, at most."""
_EDGE = re.compile(rb"<!\[CDATA\[.*?\]\]>|<Event(?=[\s>])|</Event\s*>", re.DOTALL)
_OPENING = re.compile(rb"<Event(?=[\s>])")
_HIDDEN_EDGE = re.compile(rb"<!\[CDATA\[(?:(?!\]\]>).)*?</?Event", re.DOTALL)
_WRAPPING = re.compile(rb"<\?xml.*?\?>|</?Events(?:\s[^>]*)?>|<!--.*?-->|\xef\xbb\xbf", re.DOTALL)
_AFTER_NAME = np.zeros(256, dtype=bool)
_AFTER_NAME[list(b" \t\r\n>/")] = True
_BLANK = np.zeros(256, dtype=bool)
_BLANK[list(b" \t\r\n\0")] = True


def read(stream: LogStream) -> Iterator[Events | PendingEvents | Rejected]:
    """The events of a stream, a block at a time, and what is between them but is none."""
    line = stream.first_line
    shapes = Shapes()
    with stream.open() as opened:
        try:
            blocks = cut_after(
                drop_prefix(read_pieces(opened)), _END, size=_BLOCK_BYTES, padding=PADDING
            )
            for block in _join_nested(blocks):
                yield from read_padded(repair_utf8(block), shapes, stream.name, line)
                line += block.count(b"\n")
        except DamagedError as error:
            yield Rejected(stream.name, f"line {line}", error.code, str(error), b"")


def drop_prefix(source: Iterator[bytes]) -> Iterator[bytes]:
    """The same text, the prefixes of namespaces that its events have taken from its tags.

    >>> b"".join(drop_prefix(iter([b"<e:Event xmlns:e='x'><e:Sys", b"tem/><", b"/e:Event>"])))
    b"<Event xmlns:e='x'><System/></Event>"
    """
    prefixes: set[bytes] = set()
    tag: re.Pattern[bytes] | None = None
    kept = b""
    for piece in chain(source, [b""]):
        text = kept + piece if kept else piece
        stop = len(text)
        if b":Event" in text:
            new = {match[1] for match in _PREFIXED.finditer(text)} - prefixes
            if new:
                prefixes |= new
                names = b"|".join(re.escape(name) for name in sorted(prefixes))
                tag = re.compile(rb"<(/?)(?:" + names + rb"):")
        if piece:
            tail = max(0, stop - _PREFIX_SPACE)
            begun = [m.start() for m in _PREFIX_START.finditer(text, tail)]
            last = text.rfind(b"<", tail)
            if last >= 0 and b">" not in text[last:]:
                begun.append(last)
            unread = [at for at in begun if not _PREFIXED.match(text, at)]
            stop = min(unread, default=stop)
        kept = text[stop:]
        text = text[:stop]
        if text:
            yield text if tag is None else tag.sub(rb"<\1", text)


def _join_nested(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, but that none ends within an event behind an inner element called Event."""
    kept = b""
    for block in blocks:
        text = kept + block if kept else block
        kept = b""
        system = text.rfind(b"<System")
        start = text.rfind(b"<Event", 0, max(system, 0))
        tail = text[start:] if start >= 0 else b""
        inside = tail.count(_END) and len(_OPENING.findall(tail)) > tail.count(_END)
        if inside and len(tail) < LONGEST_EVENT:
            kept = tail.rstrip(b"\0")
            text = text[:start] + bytes(PADDING)
        if text.strip(b"\0"):
            yield text
    if kept:
        yield kept + bytes(PADDING)


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
    if len(closing):
        following = head[np.minimum(first + 1, len(head) - 1)]
        plain &= (following & _SEVEN_BYTES) == (_SYSTEM & _SEVEN_BYTES)
        plain &= ~_find_nested(opener)
    ends = tags[closing] + len(_END) if len(closing) else closing
    begin = tags[first] if len(closing) else closing
    gap_start = np.concatenate(([0], ends[:-1])) if len(closing) else closing
    begin, strange = _gaps(buffer, words, gap_start, begin, ends, plain)
    strange = _join(strange)
    tail = int(ends[-1]) if len(ends) else 0
    if buffer[tail:size].strip():
        strange.append((tail, size))
    return Frames(buffer, words, tags, first[plain], closing[plain]), begin[plain], strange


def _find_nested(opener: Positions) -> npt.NDArray[np.bool_]:
    """Which ends of events stand inside of another event, or end one that has others inside.

    ``opener`` counts the starts before each end. What was never ended leaves one too many for all
    of the text; an inner element only until the outer one ends.

    >>> _find_nested(np.array([0, 2, 3, 3, 4])).tolist()
    [False, True, True, True, False]
    """
    nested = np.zeros(len(opener), dtype=bool)
    depth = opener - np.arange(len(opener))
    for rise in np.flatnonzero(np.diff(depth, prepend=0) > 0).tolist():
        before = depth[rise - 1] if rise else 0
        back = np.flatnonzero(depth[rise + 1 :] <= before)
        if len(back) and not nested[rise]:
            nested[rise : rise + 2 + int(back[0])] = True
    return nested


def _join(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches without a border where one begins where another ends.

    >>> _join([(0, 5), (5, 9), (12, 13)])
    [(0, 9), (12, 13)]
    """
    out: list[tuple[int, int]] = []
    for start, stop in stretches:
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], stop)
        else:
            out.append((start, stop))
    return out


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
        """Whatever events a stretch of text has, and what is none.

        An event ends where as many elements of its name have ended as have begun.
        """
        at = start
        opened: int | None = None
        depth = 0
        for edge in _EDGE.finditer(self.data, start, stop):
            if edge[0] == b"<Event":
                end = self.data.find(b">", edge.end())
                if self.data[end - 1 : end] != b"/":
                    opened = edge.start() if opened is None else opened
                    depth += 1
            elif opened is not None and edge[0].startswith(b"</"):
                depth -= 1
                if depth == 0:
                    yield from self._between(at, opened)
                    at = edge.end()
                    yield from self._framed(opened, at)
                    opened = None
        if opened is not None:
            yield from self._between(at, opened)
            yield from self._broken(opened, stop)
        else:
            tail = _START.search(self.data, at, stop)
            yield from self._between(at, tail.start() if tail else stop)
            if tail:
                yield self._rejected(tail.start(), stop, "SRC020", "an event that breaks off")
        yield from self._done()

    def _framed(self, start: int, stop: int) -> Iterator[Rejected]:
        """An event whose elements of that name are balanced; if it is none, its parts are looked
        at: one that breaks off may be in front of one without a beginning."""
        (text,) = self._formed([self.data[start:stop]])
        if text.count(_END) > 1:
            try:
                read_event_fields(text.decode())
            except NotAnEventError:
                yield from self._broken(start, stop)
                return
        yield from self._event(start, start, stop, text)

    def _broken(self, start: int, stop: int) -> Iterator[Rejected]:
        """The events of a text in which some have no end: the next event ends such a one."""
        at = start
        opened: int | None = None
        depth = 0
        for edge in _EDGE.finditer(self.data, start, stop):
            if edge[0] == b"<Event":
                if opened is None or _WHOLE_START.match(self.data, edge.start()):
                    if opened is None:
                        yield from self._between(at, edge.start())
                    else:
                        yield from self._event(opened, opened, edge.start())
                    opened, depth = edge.start(), 0
                depth += 1
            elif opened is not None and edge[0].startswith(b"</"):
                depth -= 1
                if depth == 0:
                    at = edge.end()
                    yield from self._event(opened, opened, at)
                    opened = None
        if opened is not None:
            yield self._rejected(opened, stop, "SRC020", "an event that breaks off")
        else:
            yield from self._between(at, stop)

    def _done(self) -> Iterator[Events]:
        if self.rows:
            yield build_events(self.rows, self.raws)
        self.rows.clear()
        self.raws.clear()

    def _event(
        self, begin: int, start: int, stop: int, text: bytes | None = None
    ) -> Iterator[Rejected]:
        header = self.data[begin:start]
        if text is None:
            (text,) = self._formed([self.data[start:stop]])
        try:
            fields = read_event_fields(text.decode())
        except NotAnEventError as error:
            inner = [m.start() for m in _WHOLE_START.finditer(self.data, start + 1, stop)]
            yield self._rejected(start, inner[-1] if inner else stop, error.code, str(error))
            if inner:
                # A truncated event has swallowed the start of the next one.
                yield from self._event(inner[-1], inner[-1], stop)
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
        record = _RECORD.search(self.data, start, stop)
        if record is not None:
            message += f" (EventRecordID {record[1].decode()})"
        return Rejected(
            self.name, f"line {at}", code, message, self.data[start:stop][:EXCERPT_BYTES]
        )
