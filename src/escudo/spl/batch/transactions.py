"""Events grouped into transactions: ``transaction`` (Search Reference).

Events come newest first, as the command sees them: an event that matches ``endswith`` opens a
transaction, one that matches ``startswith`` closes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from escudo.spl.batch.pivot import text

Key = tuple[int, Any]


@dataclass(frozen=True)
class Rules:
    """The options; ``starts`` and ``ends`` name boolean columns (None: not given).

    ``span`` and ``pause`` are in seconds. ``listed`` are the fields whose values are kept as they
    come (None: all of them), the others are made distinct and sorted.
    """

    fields: tuple[str, ...]
    starts: str | None = None
    ends: str | None = None
    span: float | None = None
    pause: float | None = None
    events: int | None = 1000
    connected: bool = True
    unify_ends: bool = False
    keep_orphans: bool = False
    keep_evicted: bool = False
    listed: tuple[str, ...] | None = ()
    null: str = "NULL"


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
        self.index: dict[Key, int] = {}
        self.done: list[_Done] = []
        self.orphans: list[int] = []
        self.count = 0

    def add(self, row: int, starts: bool, ends: bool) -> None:
        values = {
            i: tuple(v) if isinstance(v := c[row], list) else v
            for i, c in enumerate(self.columns)
            if c[row] is not None
        }
        bounded = self.rules.starts is not None or self.rules.ends is not None
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
        return made

    def _put(self, found: _Open, row: int, values: Mapping[int, Any]) -> None:
        found.rows.append(row)
        found.oldest = self.times[row]
        for i, value in values.items():
            found.values.setdefault(i, value)
            self.index[i, value] = found.number

    def _matching(self, values: Mapping[int, Any]) -> _Open | None:
        if not self.rules.fields or not values:
            return next(reversed(self.open.values()), None) if self.open else None
        numbers = {self.index[k] for k in values.items() if k in self.index}
        candidates = [self.open[n] for n in sorted(numbers, reverse=True) if n in self.open]
        if not candidates and not self.rules.connected:
            candidates = list(reversed(self.open.values()))
        for candidate in candidates:
            if all(candidate.values.get(i, v) == v for i, v in values.items()):
                return candidate
        return None

    def _too_far(self, found: _Open, row: int) -> bool:
        at = self.times[row]
        rules = self.rules
        too_long = rules.span is not None and rules.span >= 0 and found.newest - at > rules.span
        too_late = rules.pause is not None and rules.pause >= 0 and found.oldest - at > rules.pause
        return too_long or too_late

    def _close(self, found: _Open, *, closed: bool, complete: bool) -> None:
        del self.open[found.number]
        for key in [k for k in found.values.items() if self.index.get(k) == found.number]:
            del self.index[key]
        self.done.append(_Done(found.rows, closed, complete, len(found.values)))

    def finish(self) -> list[_Done]:
        only_end = self.rules.starts is None and self.rules.ends is not None
        for found in list(self.open.values()):
            complete = (self.rules.starts is None and self.rules.ends is None) or (
                only_end and found.has_end
            )
            self._close(found, closed=only_end and found.has_end, complete=complete)
        return self.done


MADE = ("duration", "eventcount", "closed_txn", "field_match_sum", "linecount")
"""The fields that the command makes besides those of the events."""


def transactions_of(table: pa.Table, rules: Rules, hidden: Sequence[str]) -> pa.Table:
    """One row for each transaction, newest first.

    ``hidden`` columns (the flags of ``starts`` and ``ends``) are not passed on.

    >>> t = pa.table({"_time": [30.0, 20.0, 10.0], "u": ["a", "b", "a"], "v": ["2", "x", "1"]})
    >>> out = transactions_of(t, Rules(("u",)), [])
    >>> out.select(["_time", "u", "v", "duration", "eventcount"]).to_pylist()[0]
    {'_time': 20.0, 'u': ['b'], 'v': ['x'], 'duration': 0.0, 'eventcount': 1}
    """
    times = [t or 0.0 for t in table["_time"].to_pylist()]
    columns = [
        table[f].to_pylist() if f in table.column_names else [None] * table.num_rows
        for f in rules.fields
    ]
    gatherer = _Gatherer(rules, times, columns)
    starts = _flags(table, rules.starts)
    ends = _flags(table, rules.ends)
    for row in range(table.num_rows):
        gatherer.add(row, starts[row], ends[row])
    done = [d for d in gatherer.finish() if d.complete or rules.keep_evicted]
    if rules.keep_orphans:
        done += [_Done([row], False, False, 0) for row in gatherer.orphans]
    done.sort(key=lambda d: -times[d.rows[-1]])
    return _rows(table, done, times, rules, hidden)


def _flags(table: pa.Table, name: str | None) -> list[bool]:
    if name is None or name not in table.column_names:
        return [False] * table.num_rows
    return [bool(v) for v in table[name].to_pylist()]


def _rows(
    table: pa.Table,
    done: Sequence[_Done],
    times: Sequence[float],
    rules: Rules,
    hidden: Sequence[str],
) -> pa.Table:
    oldest_first = [d.rows[::-1] for d in done]
    columns: dict[str, pa.Array] = {
        "_time": pa.array([times[rows[0]] for rows in oldest_first], pa.float64())
    }
    for name in table.column_names:
        if name in ("_time", *hidden):
            continue
        cells = table[name].to_pylist()
        groups = [[cells[i] for i in rows] for rows in oldest_first]
        kind = table.schema.field(name).type
        if name == "_raw":
            texts = ["\n".join(c for c in g if c) for g in groups]
            columns[name] = pa.array(texts, pa.string())
        elif name.startswith("_evidence"):
            items = [list(dict.fromkeys(v for c in g for v in c or [])) for g in groups]
            columns[name] = pa.array(items, kind)
        else:
            in_order = rules.listed is None or name in rules.listed
            merged = [_merged(g, rules.null, in_order=in_order) for g in groups]
            columns[name] = pa.array(merged, pa.list_(pa.string()))
    columns["duration"] = pa.array(
        [round(times[rows[-1]] - times[rows[0]], 6) for rows in oldest_first], pa.float64()
    )
    columns["eventcount"] = pa.array([len(rows) for rows in oldest_first], pa.int64())
    columns["closed_txn"] = pa.array([int(d.closed) for d in done], pa.int64())
    columns["field_match_sum"] = pa.array([d.matches * len(d.rows) for d in done], pa.int64())
    lines = columns["_raw"].to_pylist() if "_raw" in columns else [""] * len(done)
    columns["linecount"] = pa.array(
        [len(t.splitlines()) or len(d.rows) for t, d in zip(lines, done, strict=True)], pa.int64()
    )
    return pa.table(columns)


def _merged(cells: Sequence[Any], null: str, *, in_order: bool) -> list[str] | None:
    flat: list[str] = []
    for cell in cells:
        items = cell if isinstance(cell, list) else [cell]
        flat += [null if v is None else text(v) for v in items if v is not None or in_order]
    if all(v == null for v in flat):
        return None
    return flat if in_order else sorted(set(flat))
