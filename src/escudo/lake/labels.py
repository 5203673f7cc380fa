"""What a user says of a file's events (source, source type, host, index) -> put in place of what
Escudo finds out itself; ``ingest`` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from escudo.core.schema import TableSchema
from escudo.lake.event_ids import put_column

_NAMES = ("source", "sourcetype", "host", "index")


@dataclass(frozen=True, slots=True)
class Labels:
    """What all events of a file carry; None leaves what the event itself says.

    Splunk takes these from its inputs, not from the event (inputs.conf). A source or source type
    that a source family names as its own decides that the events are of it (``Families.claim``).
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
        for name in _NAMES:
            value = getattr(self, name)
            if value is not None:
                events = put_column(events, name, pa.repeat(pa.scalar(value), events.num_rows))
        return events


NO_LABELS = Labels()


class _OtherValues(Mapping[str, frozenset[str]]):
    """What fields can hold in a table (``TableSchema.values``), but for those that are labels."""

    def __init__(self, known: Mapping[str, frozenset[str]]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> frozenset[str]:
        if name in _NAMES:
            raise KeyError(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._known if name not in _NAMES)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def open_labels(tables: Sequence[TableSchema]) -> tuple[TableSchema, ...]:
    """Tables of raw events whose source, source type, host and index can be any."""
    return tuple(replace(t, values=_OtherValues(t.values)) for t in tables)


MARKS = "labels:"
"""Marks of the ledger that begin so name the tables whose events carry labels."""


def find_labelled(schema: TableSchema, events: pa.Table) -> bool:
    """Whether some of these events have a source, source type, host or index that those of their
    table have not by themselves: searches must then not go by what the table's source says.

    >>> schema = TableSchema("raw_a", (), values={"index": frozenset({"main"})})
    >>> [find_labelled(schema, pa.table({"index": [name]})) for name in ("main", "web")]
    [False, True]
    """
    for name in _NAMES:
        known = schema.values.get(name)
        if known is None or name not in events.column_names:
            continue
        if not set(events[name].unique().to_pylist()) <= known:
            return True
    return False
