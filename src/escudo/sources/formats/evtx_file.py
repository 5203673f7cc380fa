"""EVTX: the binary event log of Windows, read by the ``evtx`` library as XML."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import evtx

from escudo.core.prefetch import prefetch
from escudo.sources.assemble import Events, Unmade
from escudo.sources.formats.bytesviews import PADDING
from escudo.sources.formats.event_xml import read_padded
from escudo.sources.formats.rejected import Rejected
from escudo.sources.formats.tidy import braced
from escudo.sources.formats.windows_form import windows_form
from escudo.sources.formats.xml_shapes import Shapes
from escudo.sources.opening import DAMAGE, LogStream

BLOCK_BYTES = 24 * 1024 * 1024
_AT_ONCE = 1000
_AHEAD = 1
_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
_LONGEST_WAIT = 8 * 1024 * 1024
_HEADER = 4096
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


def read(stream: LogStream) -> Iterator[Events | Unmade | Rejected]:
    """The records of a log, and those that are damaged."""
    try:
        with _as_file(stream) as given, _whole_chunks(given) as (path, missing):
            readable = yield from _records(stream.name, path)
        if missing and readable:
            message = f"the file breaks off: {missing:,} bytes of its chunks are missing"
            yield Rejected(stream.name, "the end", "SRC011", message, b"")
    except DAMAGE as error:
        yield Rejected(stream.name, "offset 0", "SRC011", str(error), b"")


def _records(name: str, path: str) -> Generator[Events | Unmade | Rejected, None, bool]:
    """The records; returns whether the file is an event log at all."""
    try:
        records = iter(evtx.PyEvtxParser(path, indent=False).records())
    except (RuntimeError, OSError, ValueError) as error:
        yield Rejected(name, "offset 0", "SRC011", f"not readable as EVTX: {error}", b"")
        return False
    block = _Block(name)
    for texts in prefetch(_texts(name, records), _AHEAD):
        if isinstance(texts, Rejected):
            yield texts
        elif texts is not None:
            yield from block.read(texts)
    yield from block.read([], last=True)
    return True


def _texts(name: str, records: Iterator[Any]) -> Iterator[list[bytes] | Rejected]:
    """The records' XML, a block at a time, and what was in the way of a record."""
    texts: list[bytes] = []
    size = 0
    done = 0
    more = True
    while more:
        before = len(texts)
        try:
            texts.extend(_text(record["data"]) for record in islice(records, _AT_ONCE) if record)
        except (RuntimeError, OSError, ValueError) as error:
            place = f"after record {done + len(texts)}"
            yield Rejected(name, place, "SRC010", str(error), b"")
        else:
            more = len(texts) == before + _AT_ONCE
        size += sum(map(len, texts[before:]))
        if size > BLOCK_BYTES or not more:
            done += len(texts)
            yield texts
            texts, size = [], 0


def _text(data: str) -> bytes:
    return data.removeprefix(_PROLOG).encode("utf-8", "replace")


@dataclass
class _Block:
    """Reads records by the block; those of rare shapes wait for more of their kind."""

    name: str
    shapes: Shapes = field(default_factory=lambda: Shapes(form=windows_form))
    later: list[bytes] = field(default_factory=list)

    def read(
        self, texts: list[bytes], *, last: bool = False
    ) -> Iterator[Events | Unmade | Rejected]:
        """The events of some texts, which it takes out of the list."""
        waited = self.later
        self.later = []
        wait = not last and sum(map(len, waited)) < _LONGEST_WAIT
        pieces = [piece for text in waited for piece in (text, b"\n")]
        buffer = b"".join([*pieces, *texts, bytes(PADDING)])
        texts.clear()
        later = self.later if wait else None
        for item in read_padded(buffer, self.shapes, self.name, later=later):
            yield item if isinstance(item, Rejected) else partial(_with_braces, item)


def _with_braces(events: Events | Unmade) -> Events:
    made = events if isinstance(events, Events) else events()
    return replace(made, fields=braced(made.fields))
