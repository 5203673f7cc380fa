"""What a user says of a file's events (source, source type, host, index) -> put in place of what
Escudo finds out itself; ``ingest`` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from escudo.core.catalog import Catalog
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.lake.event_ids import put_column

_NAMES = ("source", "sourcetype", "host", "index")


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


class LabelledCatalog:
    """A catalog whose events carry labels: what its families' sources are says nothing of them.

    Args:
        raw: its raw tables, as ``open_labels`` makes them.
    """

    def __init__(self, base: Catalog, raw: Sequence[TableSchema]) -> None:
        self._base = base
        self._raw = raw

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self._base.dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self._base.datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return self._raw

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return self._base.files(table, within)
