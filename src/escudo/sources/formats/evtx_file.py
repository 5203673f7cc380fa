"""EVTX: the binary event log of Windows, read by the ``evtx`` library as XML."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import evtx

from escudo.sources.assemble import Events
from escudo.sources.formats.rejected import Rejected
from escudo.sources.formats.rows import from_rows
from escudo.sources.formats.xml_element import Field, NotAnEventError, event_fields
from escudo.sources.opening import DAMAGE, LogStream

BLOCK_EVENTS = 20_000
_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
_BARE_GUID = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")


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


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The records of a log, and those that are damaged."""
    try:
        with _as_file(stream) as path:
            yield from _records(stream.name, path)
    except DAMAGE as error:
        yield Rejected(stream.name, "offset 0", "SRC011", str(error), b"")


def _records(name: str, path: str) -> Iterator[Events | Rejected]:
    try:
        parser = evtx.PyEvtxParser(path)
    except (RuntimeError, OSError, ValueError) as error:
        yield Rejected(name, "offset 0", "SRC011", f"not readable as EVTX: {error}", b"")
        return
    rows: list[dict[str, Field]] = []
    raws: list[str] = []
    records = iter(parser.records())
    number = 0
    while True:
        try:
            record = next(records)
        except StopIteration:
            break
        except (RuntimeError, OSError, ValueError) as error:
            number += 1
            yield Rejected(name, f"record {number}", "SRC010", str(error), b"")
            continue
        number += 1
        assert record is not None
        text = record["data"].removeprefix(_PROLOG).rstrip()
        try:
            rows.append({k: _braced(v) for k, v in event_fields(text).items()})
            raws.append(text)
        except NotAnEventError as error:
            place = f"record {record['event_record_id']}"
            yield Rejected(name, place, error.code, str(error), text[:200].encode())
        if len(rows) == BLOCK_EVENTS:
            yield from_rows(rows, raws)
            rows, raws = [], []
    if rows:
        yield from_rows(rows, raws)


def _braced(value: Field) -> Field:
    """A GUID as Windows writes it; the library leaves out the braces."""
    if isinstance(value, str) and len(value) == 36 and _BARE_GUID.fullmatch(value):
        return f"{{{value}}}"
    return value
