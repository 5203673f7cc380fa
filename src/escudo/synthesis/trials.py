"""Events of a detection that must be found, or must not: what is written, ingested and searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from escudo.synthesis.wire import WireFormat

TableRow = tuple[str, tuple[tuple[str, str], ...]]
"""A lookup, and the fields of one of its rows."""


@dataclass(frozen=True)
class Event:
    """An event of a source family; ``offset`` is seconds from the begin of its trial.

    ``source`` and ``sourcetype`` are what it is called once it has come in; ``host`` is of whom it
    comes, where the event itself does not say it.
    """

    family: str
    wire: WireFormat
    fields: Mapping[str, str]
    offset: float = 0.0
    source: str = ""
    sourcetype: str = ""
    host: str | None = None
    rows: tuple[TableRow, ...] = ()
    """What has to be in collections so that it is found."""

    def write(self, begin: float) -> str:
        """The event as its source writes it, without a line feed at the end."""
        return self.wire.write(self.fields, begin + self.offset)


@dataclass(frozen=True)
class Trial:
    """Events that a detection must find together, or must not find."""

    events: tuple[Event, ...]
    fires: bool
    about: str = ""
    """Of a near-miss, the condition that is broken."""
    span: float = 900.0
    """Seconds of the window that it needs for itself."""
    align: float = 900.0
    """The window begins at a multiple of so many seconds since 1970."""

    @property
    def tables(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """The rows that have to be in collections, by the names of their lookups."""
        out: dict[str, list[Mapping[str, str]]] = {}
        for table, fields in dict.fromkeys(row for event in self.events for row in event.rows):
            out.setdefault(table, []).append(dict(fields))
        return out


@dataclass(frozen=True)
class Synthesis:
    """What was made for a detection: of no events, ``reason`` says why.

    ``positives`` are candidates: the first of them that is found counts. ``source`` is the kind of
    its events.
    """

    name: str
    positives: tuple[Trial, ...] = ()
    near_misses: tuple[Trial, ...] = ()
    source: str = ""
    reason: str = ""
    notes: tuple[str, ...] = field(default=())
    alone: bool = False
    """Whether each near-miss has to be searched alone: rows are made of several events."""
