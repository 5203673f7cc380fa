"""Events as columns: the readers of formats give them, ``assemble`` makes tables of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

Values: TypeAlias = pa.Array | str
"""A field of many events: a string or list<string> array, or one text that all share."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events of any families, as columns: field name -> values, and the text of each event.

    ``times`` overrides the family's own rule for the time where the format knows better;
    ``zoneless`` says that they are local times of an unknown zone, taken as UTC. ``order`` has the
    number that each event had where it came from, if that is asked for. ``hosts`` are those of what
    carried the events; they go behind the family's own rule. ``family`` names the source of all of
    them, where the reader knows it.
    """

    fields: Mapping[str, Values]
    raw: pa.Array
    times: pa.Array | None = None
    zoneless: bool = False
    order: pa.Array | None = None
    hosts: pa.Array | None = None
    family: str | None = None

    def take(self, rows: pa.Array) -> Events:
        """The events of some row numbers."""
        return Events(
            {k: v if isinstance(v, str) else v.take(rows) for k, v in self.fields.items()},
            self.raw.take(rows),
            None if self.times is None else self.times.take(rows),
            self.zoneless,
            None if self.order is None else self.order.take(rows),
            None if self.hosts is None else self.hosts.take(rows),
            self.family,
        )


@dataclass(frozen=True, slots=True)
class PendingEvents:
    """Events whose columns are not made yet.

    A reader gives them where making the columns is work for the next stage. Who takes them calls
    ``make``, in a thread of its own: so a reader frames the next block meanwhile.

    >>> PendingEvents(lambda: Events({"a": "1"}, pa.array(["<a>1</a>"]))).make().fields
    {'a': '1'}
    """

    make: Callable[[], Events]
