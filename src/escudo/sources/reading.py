"""From a log stream to raw batches, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from escudo.sources.assemble import Events, RawBatch, assemble
from escudo.sources.detection import Format
from escudo.sources.formats import event_xml, evtx_file, json_events
from escudo.sources.formats.rejected import Rejected
from escudo.sources.opening import LogStream

__all__ = ["BATCH_ROWS", "RawBatch", "Rejected", "read"]

BATCH_ROWS = 100_000

_READERS: Mapping[Format, Callable[[LogStream], Iterator[Events | Rejected]]] = {
    Format.EVTX: evtx_file.read,
    Format.EVENT_XML: event_xml.read,
    Format.FDR: json_events.read,
    Format.JSON_EVENTS: json_events.read,
}


def read(stream: LogStream, *, batch_rows: int = BATCH_ROWS) -> Iterator[RawBatch | Rejected]:
    """The events of a stream as tables of their families, and what gave no row.

    Every event is in a batch or is a Rejected. A batch has at most ``batch_rows`` rows.
    """
    for item in _READERS[stream.format](stream):
        if isinstance(item, Rejected):
            yield item
            continue
        for batch in assemble(item, stream.name, stream.modified):
            if batch.table.num_rows <= batch_rows:
                yield batch
                continue
            for start in range(0, batch.table.num_rows, batch_rows):
                yield RawBatch(batch.family, batch.table.slice(start, batch_rows))
