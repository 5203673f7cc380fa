"""Events, newest first -> transactions: ``transaction`` (Search Reference).

Events come newest first, as the command sees them: an event that matches ``endswith`` opens a
transaction, one that matches ``startswith`` closes it. Where that depends on all transactions that
are open (some events have only some of the fields), events are gathered one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.spl.batch.sessions import find_sessions
from escudo.spl.batch.transaction_columns import (
    collect_distinct,
    collect_list,
    collect_values,
    count_lines,
    join_texts,
)
from escudo.spl.batch.transaction_rules import Flags, Floats, Rules, Transactions

__all__ = ["MADE", "Rules", "order_transactions", "transactions_of"]

Key = tuple[int, Any]


@dataclass
class _Open:
    """A transaction being gathered: rows from the newest to the oldest."""

    number: int
    rows: list[int] = field(default_factory=list)
    values: dict[int, Any] = field(default_factory=dict)
    newest: float = 0.0
    oldest: float = 0.0
    has_end: bool = False


@dataclass(frozen=True)
class _Done:
    rows: list[int]
    closed: bool
    complete: bool
    matches: int


class _Gatherer:
    def __init__(self, rules: Rules, times: Sequence[float], columns: Sequence[Sequence[Any]]):
        self.rules = rules
        self.times = times
        self.columns = columns
        self.open: dict[int, _Open] = {}
        self.index: dict[Key, set[int]] = {}
        """The open transactions that hold a value."""
        self.lacking: list[set[int]] = [set() for _ in columns]
        """The open transactions that have no value of a field yet."""
        self.done: list[_Done] = []
        self.orphans: list[int] = []
        self.count = 0

    def add(self, row: int, starts: bool, ends: bool) -> None:
        values = {
            i: tuple(v) if isinstance(v := c[row], list) else v
            for i, c in enumerate(self.columns)
            if c[row] is not None
        }
        bounded = self.rules.bounded
        if self.rules.fields and not values:
            boundary = (starts or ends) and not self.rules.unify_ends
            if not boundary or not self.open:
                self.orphans.append(row)
                return
        found = self._matching(values)
        if found is not None and self._too_far(found, row):
            self._close(found, closed=True, complete=not bounded or self._complete(found, False))
            found = None
        if found is not None and ends:
            only_ends = self.rules.starts is None
            self._close(found, closed=only_ends, complete=only_ends and found.has_end)
            found = None
        if found is None:
            found = self._opened()
            found.newest = self.times[row]
            found.has_end = ends
        self._put(found, row, values)
        if starts:
            self._close(found, closed=True, complete=self._complete(found, True))
        elif self.rules.events and 0 < self.rules.events <= len(found.rows):
            self._close(found, closed=True, complete=self._complete(found, False) or not bounded)

    def _complete(self, found: _Open, started: bool) -> bool:
        needs_end = self.rules.ends is not None
        needs_start = self.rules.starts is not None
        return (found.has_end or not needs_end) and (started or not needs_start)

    def _opened(self) -> _Open:
        self.count += 1
        made = _Open(self.count)
        self.open[made.number] = made
        for lacking in self.lacking:
            lacking.add(made.number)
        return made

    def _put(self, found: _Open, row: int, values: Mapping[int, Any]) -> None:
        found.rows.append(row)
        found.oldest = self.times[row]
        for i, value in values.items():
            if i not in found.values:
                found.values[i] = value
                self.lacking[i].discard(found.number)
                self.index.setdefault((i, value), set()).add(found.number)

    def _matching(self, values: Mapping[int, Any]) -> _Open | None:
        if not self.rules.fields or not values:
            return next(reversed(self.open.values()), None) if self.open else None
        sharing = {key: held for key in values.items() if (held := self.index.get(key))}
        if not sharing and not self.rules.connected:
            fitting = set.intersection(*(self.lacking[i] for i in values))
            return self.open[max(fitting)] if fitting else None
        return self.open[max(found)] if (found := self._consistent(sharing, values)) else None

    def _consistent(self, sharing: Mapping[Key, set[int]], values: Mapping[int, Any]) -> set[int]:
        """The open transactions that share a value and contradict none."""
        found: set[int] = set()
        for key, held in sharing.items():
            these = held
            for other in values.items():
                if other != key:
                    these = these & sharing.get(other, set()) | these & self.lacking[other[0]]
            found |= these
        return found

    def _too_far(self, found: _Open, row: int) -> bool:
        at = self.times[row]
        rules = self.rules
        too_long = rules.span is not None and rules.span >= 0 and found.newest - at > rules.span
        too_late = rules.pause is not None and rules.pause >= 0 and found.oldest - at > rules.pause
        return too_long or too_late

    def _close(self, found: _Open, *, closed: bool, complete: bool) -> None:
        del self.open[found.number]
        for key in found.values.items():
            self.index[key].discard(found.number)
            if not self.index[key]:
                del self.index[key]
        for lacking in self.lacking:
            lacking.discard(found.number)
        self.done.append(_Done(found.rows, closed, complete, len(found.values)))

    def finish(self) -> list[_Done]:
        only_end = self.rules.starts is None and self.rules.ends is not None
        for found in list(self.open.values()):
            complete = not self.rules.bounded or (only_end and found.has_end)
            self._close(found, closed=only_end and found.has_end, complete=complete)
        return self.done


MADE = ("duration", "eventcount", "closed_txn", "field_match_sum", "linecount")
"""The fields that the command makes besides those of the events."""


PLACES = ("_transaction_closed", "_transaction_opened")
"""Columns that say how transactions of the same time are ordered."""


def transactions_of(
    table: pa.Table, rules: Rules, hidden: Sequence[str], number: str | None = None
) -> pa.Table:
    """One row for each transaction, newest first.

    ``hidden`` columns (the flags of ``starts`` and ``ends``) are not passed on. Where the events
    are those of some values of the fields, ``number`` is the column with their places among all;
    the result has ``PLACES`` then, by which ``order_transactions`` puts several in order.

    >>> t = pa.table({"_time": [30.0, 20.0, 10.0], "u": ["a", "b", "a"], "v": ["2", "x", "1"]})
    >>> out = transactions_of(t, Rules(("u",)), [])
    >>> out.select(["_time", "u", "v", "duration", "eventcount"]).to_pylist()[0]
    {'_time': 20.0, 'u': ['b'], 'v': ['x'], 'duration': 0.0, 'eventcount': 1}
    """
    table = table.combine_chunks()
    times = pc.fill_null(table["_time"], 0.0).to_numpy()
    starts, ends = _flags(table, rules.starts), _flags(table, rules.ends)
    numbers = None if number is None else table[number].to_numpy()
    found = find_sessions(table, rules, times, starts, ends, numbers)
    if found is None:
        found = _gathered(table, rules, times, starts, ends)
    oldest = times[found.rows[found.offsets[:-1]]] if len(found.closed) else times[:0]
    opened = found.rows[found.offsets[1:] - 1] if len(found.closed) else found.rows[:0]
    order = np.lexsort((opened, found.closed_at, -oldest))
    if not rules.keep_evicted:
        order = order[found.complete[order]]
    merged = _merged(table, found.pick(order), times, rules, (*hidden, *filter(None, [number])))
    if numbers is None:
        return merged
    for name, places in zip(PLACES, (found.closed_at, numbers[opened]), strict=True):
        merged = merged.append_column(name, pa.array(places[order], pa.int64()))
    return merged


def order_transactions(table: pa.Table) -> pa.Table:
    """The transactions of all values of the fields as those of all events together would come."""
    keys = [("_time", "descending"), *((name, "ascending") for name in PLACES)]
    return table.sort_by(keys).drop_columns(list(PLACES))


def _flags(table: pa.Table, name: str | None) -> Flags:
    if name is None or name not in table.column_names:
        return np.zeros(table.num_rows, dtype=bool)
    flags = pc.fill_null(table[name].cast(pa.bool_()), False)
    return np.asarray(flags.to_numpy(), dtype=bool)


def _gathered(
    table: pa.Table, rules: Rules, times: Floats, starts: Flags, ends: Flags
) -> Transactions:
    """The transactions found event by event."""
    columns = [
        table[f].to_pylist() if f in table.column_names else [None] * table.num_rows
        for f in rules.fields
    ]
    gatherer = _Gatherer(rules, times.tolist(), columns)
    for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        gatherer.add(row, start, end)
    done = gatherer.finish()
    if rules.keep_orphans:
        done += [_Done([row], False, True, 0) for row in gatherer.orphans]
    lengths = np.array([len(d.rows) for d in done], dtype=np.int64)
    return Transactions(
        np.array([row for d in done for row in reversed(d.rows)], dtype=np.int64),
        np.concatenate(([0], np.cumsum(lengths))),
        np.array([d.closed for d in done], dtype=bool),
        np.array([d.complete for d in done], dtype=bool),
        np.array([d.matches for d in done], dtype=np.int64),
        np.arange(len(done)),
    )


def _merged(
    table: pa.Table, found: Transactions, times: Floats, rules: Rules, hidden: Sequence[str]
) -> pa.Table:
    """The events of each transaction as one row."""
    lengths, offsets = found.lengths, found.offsets
    rows = pa.array(found.rows)
    in_order = times[found.rows]
    first, last = in_order[offsets[:-1]], in_order[offsets[1:] - 1]
    columns: dict[str, pa.Array] = {"_time": pa.array(first)}
    line_count = np.zeros(len(lengths), dtype=np.int64)
    for name in table.column_names:
        if name in ("_time", *hidden):
            continue
        cells = table[name].take(rows).combine_chunks()
        if name == "_raw":
            texts = join_texts(cells.cast(pa.string()), offsets)
            columns[name], line_count = texts, count_lines(texts)
        elif name.startswith("_evidence"):
            columns[name] = collect_distinct(cells, offsets)
        elif rules.listed is None or name in rules.listed:
            columns[name] = collect_list(cells, offsets, rules.null)
        else:
            columns[name] = collect_values(cells, offsets)
    columns["duration"] = pa.array(np.round(last - first, 6))
    columns["eventcount"] = pa.array(lengths)
    columns["closed_txn"] = pa.array(found.closed.astype(np.int64))
    columns["field_match_sum"] = pa.array(found.matches * lengths)
    columns["linecount"] = pa.array(np.where(line_count == 0, lengths, line_count))
    return pa.table(columns)
