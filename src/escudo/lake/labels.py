"""What a user says of a file's events (source, source type, host, index) -> put in place of what
Escudo finds out itself; ``ingest`` calls it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from escudo.lake.event_ids import put_column


@dataclass(frozen=True, slots=True)
class Labels:
    """What all events of a file carry; None leaves what the event itself says.

    Splunk takes these from its inputs, not from the event (inputs.conf). Which source family reads
    an event is decided by the event all the same.
    """

    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None
    index: str | None = None

    def put(self, events: pa.Table) -> pa.Table:
        """Events with these labels.

        >>> Labels(sourcetype="aws:cloudtrail").put(pa.table({"sourcetype": ["_json"]})).to_pylist()
        [{'sourcetype': 'aws:cloudtrail'}]
        """
        for name in ("source", "sourcetype", "host", "index"):
            value = getattr(self, name)
            if value is not None:
                events = put_column(events, name, pa.repeat(pa.scalar(value), events.num_rows))
        return events


NO_LABELS = Labels()
