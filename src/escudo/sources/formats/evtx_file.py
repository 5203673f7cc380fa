"""EVTX, the binary event log of Windows -> events; ``reading`` calls it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from escudo.sources.events import Events, PendingEvents
from escudo.sources.formats.bytesviews import PADDING
from escudo.sources.formats.column_cleanup import add_braces
from escudo.sources.formats.event_columns import build_events
from escudo.sources.formats.event_xml import read_padded
from escudo.sources.formats.evtx_records import decode, decode_apart
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.windows_form import render_windows_form
from escudo.sources.formats.xml_element import NotAnEventError, read_event_fields
from escudo.sources.formats.xml_shapes import Shapes
from escudo.sources.opening import LogStream, judge_damage

WORTH_A_PROCESS = 8 << 20
"""Bytes of a file that is decoded in a process of its own; it takes 60 ms to start (2026-11-26)."""

_NUMBER = re.compile(rb"<EventRecordID>(\d+)<")
_LONGEST_WAIT = 8 * 1024 * 1024
"""Bytes of records of rare shapes that wait for more of their kind."""
_HEADER = 4096
"""Bytes of the file header (MS-EVEN6); likewise of a chunk, of its header, and where the header
says how many chunks there are."""
_CHUNK = 65_536
_CHUNK_HEADER = 512
_CHUNKS_AT = 42


@contextmanager
def _as_file(stream: LogStream) -> Iterator[str]:
    """The path of a file with the stream's bytes: its own, or a temporary copy."""
    if stream.path is not None:
        yield str(stream.path)
        return
    with tempfile.NamedTemporaryFile(suffix=".evtx") as copy, stream.open() as opened:
        shutil.copyfileobj(opened, copy, 1 << 20)
        copy.flush()
        yield copy.name


@contextmanager
def _whole_chunks(path: str) -> Iterator[tuple[str, int]]:
    """The file with its last chunk filled up, and how many bytes its header promises but it lacks.

    The library passes over a chunk that breaks off; with zeros behind it, it reads the records
    before the break. The number of chunks is in the file header (MS-EVEN6, EVTX file header).
    """
    size = Path(path).stat().st_size
    with open(path, "rb") as opened:
        header = opened.read(_CHUNKS_AT + 2)
    chunks = int.from_bytes(header[_CHUNKS_AT:], "little") if len(header) > _CHUNKS_AT else 0
    missing = max(0, _HEADER + chunks * _CHUNK - size)
    started = (size - _HEADER) % _CHUNK if size > _HEADER else 0
    if not missing or started < _CHUNK_HEADER:
        yield path, missing
        return
    with tempfile.NamedTemporaryFile(suffix=".evtx") as copy, open(path, "rb") as opened:
        shutil.copyfileobj(opened, copy, 1 << 20)
        copy.write(bytes(_CHUNK - started))
        copy.flush()
        yield copy.name, missing


def read(stream: LogStream) -> Iterator[Events | PendingEvents | Rejected]:
    """The records of a log, and those that are damaged."""
    try:
        with _as_file(stream) as given, _whole_chunks(given) as (path, missing):
            readable = yield from _records(stream.name, path)
        if missing and readable:
            message = f"the file breaks off: {missing:,} bytes of its chunks are missing"
            yield Rejected(stream.name, "the end", "SRC011", message, b"")
    except Exception as error:
        damage = judge_damage(error)
        yield Rejected(stream.name, "offset 0", damage.code or "SRC011", damage.message, b"")


def _records(name: str, path: str) -> Generator[Events | PendingEvents | Rejected, None, bool]:
    """The records; returns whether the file is an event log at all."""
    large = Path(path).stat().st_size >= WORTH_A_PROCESS
    block = _Block(name)
    readable = True
    for item in decode_apart(path) if large else decode(path):
        if isinstance(item, bytes):
            yield from block.read(item)
        elif isinstance(item, str):
            yield _read_record(name, item)
        elif isinstance(item, bool):
            readable = item
        else:
            code, place, message = item
            yield Rejected(name, place, code, message, b"")
    yield from block.rest()
    return readable


def _read_record(name: str, text: str) -> Events | Rejected:
    """A record by itself: its borders are known, whatever the elements in it are called."""
    plain = render_windows_form(text.encode()).decode()
    try:
        events = build_events([read_event_fields(plain)], [plain.strip()])
    except NotAnEventError as error:
        return _rejected(name, error.code, str(error), text.encode())
    return _add_braces(events)


def _rejected(name: str, code: str, message: str, text: bytes) -> Rejected:
    number = _NUMBER.search(text)
    place = f"record {number[1].decode()}" if number else "a record"
    return Rejected(name, place, code, message, text[:EXCERPT_BYTES])


@dataclass
class _Block:
    """Reads records by the block; those of rare shapes wait until they are many."""

    name: str
    shapes: Shapes = field(default_factory=lambda: Shapes(form=render_windows_form))
    later: list[bytes] = field(default_factory=list)

    def read(self, text: bytes) -> Iterator[Events | PendingEvents | Rejected]:
        """The events of a text; many of those that waited, once they are so many."""
        yield from self._read(text, self.later)
        if sum(map(len, self.later)) > _LONGEST_WAIT:
            yield from self.rest()

    def rest(self) -> Iterator[Events | PendingEvents | Rejected]:
        """The events that wait."""
        text = b"\n".join(self.later)
        self.later.clear()
        yield from self._read(text, None)

    def _read(
        self, text: bytes, later: list[bytes] | None
    ) -> Iterator[Events | PendingEvents | Rejected]:
        for item in read_padded(text + bytes(PADDING), self.shapes, self.name, later=later):
            if isinstance(item, Rejected):
                yield _rejected(self.name, item.code, item.message, item.excerpt)
            else:
                yield PendingEvents(partial(_add_braces, item))


def _add_braces(events: Events | PendingEvents) -> Events:
    made = events.make() if isinstance(events, PendingEvents) else events
    return replace(made, fields=add_braces(made.fields))
