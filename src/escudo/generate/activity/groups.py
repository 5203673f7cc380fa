"""Groups of events of one kind -> their lines; ``write`` calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from escudo.generate.activity.drawn_tables import Table
from escudo.generate.activity.made_values import make_value, time_text
from escudo.generate.activity.script import Event
from escudo.generate.columns import Ints, joined, numbers
from escudo.generate.templates import Placeholder, Template

_SECOND = 10**9


class Groups:
    """Groups of the same events. ``start`` is when each begins, in nanoseconds.

    A group has one row of each table and one value of each placeholder, so its events tell of the
    same thing. ``rows`` holds the tables whose rows are known already.
    """

    def __init__(
        self,
        start: Ints,
        events: Sequence[Event],
        tables: Mapping[str, Table],
        rng: np.random.Generator,
        rows: Mapping[str, Ints] | None = None,
    ) -> None:
        self.start = start
        self._events = events
        self._tables = tables
        self._rng = rng
        self._rows: dict[str, Ints] = dict(rows or {})
        self._values: dict[Placeholder, pl.Series] = {}

    def __len__(self) -> int:
        return len(self.start)

    def rows(self, table: str) -> Ints:
        """The row that each group has of a table."""
        if table not in self._rows:
            self._rows[table] = self._tables[table].draw(len(self), self._rng)
        return self._rows[table]

    def number(self, serial: Ints) -> None:
        """Give each group the number of its events on their host."""
        self._values[Placeholder("serial")] = numbers(serial)

    def lines(self, end: int) -> tuple[Ints, pl.Series]:
        """When each line is written (before ``end``), and the line. The first lines of all groups
        come first."""
        times, texts = [], []
        for event in self._events:
            low, high = event.delay
            delay = self._rng.uniform(low, high, len(self)) if high else np.zeros(len(self))
            written = np.minimum(self.start + (delay * _SECOND).astype(np.int64), end - 1)
            times.append(written)
            texts.append(self.render(event.template, written))
        return np.concatenate(times), pl.concat(texts)

    def render(self, template: Template, written: Ints) -> pl.Series:
        """A template for each group."""
        parts = [
            self._value(part, written) if isinstance(part, Placeholder) else part
            for part in template
        ]
        return joined(parts, len(self))

    def _value(self, part: Placeholder, written: Ints) -> pl.Series:
        if part.name == "time":
            return time_text(part.args[0], written)
        if part not in self._values:
            self._values[part] = self._made(part)
        return self._values[part]

    def _made(self, part: Placeholder) -> pl.Series:
        if part.name == "start":
            return time_text(part.args[0], self.start)
        if "." in part.name:
            table, column = part.name.split(".")
            return self._tables[table].columns[column].gather(self.rows(table))
        return make_value(part, len(self), self._rng)
