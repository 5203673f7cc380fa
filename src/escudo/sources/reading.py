"""A byte stream -> raw batches, a table of one family each, whatever its format; for ``lake``.

Reading runs in a thread of its own, and the tables are made in the one that asks for them. EVTX is
read by one thread (``_ALONE``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from escudo.core.prefetch import prefetch
from escudo.sources.assemble import assemble
from escudo.sources.date_order import DateOrder
from escudo.sources.events import Events, PendingEvents
from escudo.sources.families import Families
from escudo.sources.family import Family
from escudo.sources.format_detection import Format
from escudo.sources.formats import (
    classic_text,
    csv_events,
    event_xml,
    evtx_file,
    json_events,
    parquet_events,
)
from escudo.sources.formats.rejected import Rejected, is_other_text
from escudo.sources.inventory import Inventory
from escudo.sources.lines import reader as line_reader
from escudo.sources.notes import Kind, Note
from escudo.sources.opening import LogStream
from escudo.sources.raw_batch import RawBatch

__all__ = ["BATCH_ROWS", "RawBatch", "Rejected", "read"]

PATIENCE_SECONDS = 2.0
"""Seconds. Events of a stream that comes slowly are held back no longer for a batch to fill."""

BATCH_ROWS = 16_384
"""Rows of a batch, at most."""
BATCH_BYTES = 24 * 1024 * 1024
"""Bytes of a batch, about. With ``BATCH_ROWS`` it bounds memory, and gives what comes after the
reader its first work soon (2026-11-24)."""

_AHEAD = 2
"""Blocks that are read of a stream while the one before is put into tables."""

_ALONE = frozenset({Format.EVTX})
"""Formats read by one thread: the many small steps of another would wait for the interpreter's
lock again and again (2026-11-26: event logs took half as much CPU time more)."""

_FEW_PIECES = 4
"""A batch of more pieces becomes one: what comes after looks at each column of each piece, and
events of many shapes make many (2026-11-24: 42 in a batch of real event logs)."""

_BYTES_PER_RAW = 2
"""A table is about so many times as large as its raw text; to measure it takes longer."""

_READERS: Mapping[Format, Callable[[LogStream], Iterator[Events | PendingEvents | Rejected]]] = {
    Format.EVTX: evtx_file.read,
    Format.PARQUET: parquet_events.read,
    Format.EVENT_XML: event_xml.read,
    Format.FDR: json_events.read,
    Format.JSON_EVENTS: json_events.read,
    Format.CLASSIC_TEXT: classic_text.read,
    Format.CSV_EVENTS: csv_events.read,
}


def read(
    stream: LogStream,
    families: Families,
    *,
    batch_rows: int = BATCH_ROWS,
    date_order: DateOrder | None = None,
    note: Callable[[Note], None] = lambda note: None,
    inventory: Callable[[], Inventory] = Inventory,
    given: Family | None = None,
) -> Iterator[RawBatch | Rejected]:
    """The events of a stream as tables of their families, and what gave no row.

    Every event is in a batch or is a Rejected; ``note`` is told of lines that are no events, of
    events in no known form, and of times that cannot be read. ``inventory`` knows the names of
    hosts and users that events have ids of. ``given`` is the family of all events, where their
    labels say it (``Families.claim``); else each event says it itself.

    A batch has at most ``batch_rows`` rows; the events of one family come nearly in the order of
    the stream (those of one shape together).
    """
    waiting: dict[str, _Waiting] = {}
    items: Iterator[Events | PendingEvents | Rejected]
    if stream.format is Format.TEXT:
        items = line_reader.read(stream, families.recogniser, given, families.general_text)
    else:
        items = _READERS[stream.format](stream)
        given = None if given is not None and given.text is not None else given
    for item in items if stream.format in _ALONE else prefetch(items, _AHEAD):
        if isinstance(item, Rejected):
            if is_other_text(item):
                note(Note(Kind.OTHER_LINES, item.count_lines(), item.place))
            else:
                yield item
            continue
        batches = assemble(
            item,
            families,
            source_file=stream.name,
            default_time=stream.modified,
            date_order=date_order,
            inventory=inventory,
            given=given.name if given is not None else None,
        )
        for batch in batches:
            for told in batch.notes:
                note(told)
            held = waiting.setdefault(batch.family.name, _Waiting(batch.family))
            held.tables.append(batch.table)
            held.rows += batch.table.num_rows
            held.bytes += _BYTES_PER_RAW * batch.table.column("_raw").nbytes
            if held.rows >= batch_rows or held.bytes >= BATCH_BYTES:
                yield from _cut(waiting.pop(batch.family.name), batch_rows)
        late = time.monotonic() - PATIENCE_SECONDS
        for name in [n for n, held in waiting.items() if held.since < late]:
            yield from _cut(waiting.pop(name), batch_rows)
    for held in waiting.values():
        yield from _cut(held, batch_rows)


@dataclass(slots=True)
class _Waiting:
    family: Family
    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    since: float = field(default_factory=time.monotonic)


def _cut(held: _Waiting, batch_rows: int) -> Iterator[RawBatch]:
    """Batches of the tables that waited, which are let go as they are joined."""
    table = pa.concat_tables(held.tables)
    if len(held.tables) > _FEW_PIECES:
        table = table.combine_chunks()
    held.tables.clear()
    for start in range(0, table.num_rows, batch_rows):
        yield RawBatch(held.family, table.slice(start, batch_rows))
