"""Events that say by themselves to which transaction they belong -> transactions, columns at once.

Where every event has all the fields (or there are none), only one transaction of each combination
of values is open at a time. Then a transaction begins where the combination, a pause, an event that
matches ``endswith`` or one after ``startswith`` says so; inside such a block, ``maxspan`` and
``maxevents`` say for each event which would be the first of the next transaction, and following
these pointers from the beginning of the block finds the beginnings of all.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.spl.batch.transaction_rules import Flags, Floats, Ints, Rules, Transactions, together

_AFTER = 1 << 61
"""Beyond the number of any event."""


def find_sessions(
    table: pa.Table,
    rules: Rules,
    times: Floats,
    starts: Flags,
    ends: Flags,
    numbers: Ints | None = None,
) -> Transactions | None:
    """The transactions of events, newest first; None where it takes a look at each event.

    That is where an event has some of the fields only, a field has several values, or an event
    without the fields begins or ends the transaction of others.

    ``numbers`` are those of the events among all, where these are only some.
    """
    numbers = np.arange(len(times)) if numbers is None else numbers
    codes = _codes(table, rules.fields)
    if codes is None:
        return None
    absent = np.array([c < 0 for c in codes]) if codes else np.zeros((1, len(times)), bool)
    without = absent.all(axis=0)
    if (absent.any(axis=0) != without).any():
        return None
    if not rules.unify_ends and (without & (starts | ends)).any():
        return None
    (events,) = np.nonzero(~without)
    key = _key([c[events] for c in codes], len(events))
    order = events[np.argsort(key, kind="stable")]
    key = np.sort(key)
    found = _split(key, order, times[order], starts[order], ends[order], numbers[order], rules)
    if not rules.keep_orphans:
        return found
    return together([found, _alone(np.flatnonzero(without), numbers)])


def _codes(table: pa.Table, fields: tuple[str, ...]) -> list[Ints] | None:
    """A number for each value of each field, -1 for none; None if there are multivalues."""
    out: list[Ints] = []
    for name in fields:
        if name not in table.column_names:
            out.append(np.full(table.num_rows, -1, dtype=np.int64))
            continue
        values = table[name].combine_chunks()
        if pa.types.is_list(values.type):
            return None
        if pa.types.is_null(values.type):
            values = values.cast(pa.string())
        indices = values.dictionary_encode().indices
        out.append(pc.fill_null(indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False))
    return out


def _key(codes: list[Ints], size: int) -> Ints:
    """One number for each combination."""
    key = np.zeros(size, dtype=np.int64)
    for code in codes:
        width = int(code.max(initial=0)) + 1
        _, key = np.unique(key * width + code, return_inverse=True)
    return key


def _split(
    key: Ints,
    order: Ints,
    times: Floats,
    starts: Flags,
    ends: Flags,
    numbers: Ints,
    rules: Rules,
) -> Transactions:
    """The transactions of events that are sorted by key, then newest first."""
    size = len(key)
    if not size:
        return _alone(order, numbers)
    same = np.zeros(size, dtype=bool)
    same[1:] = key[1:] == key[:-1]
    begins = ~same | ends
    begins[1:] |= starts[:-1]
    if rules.pause is not None and rules.pause >= 0:
        begins[1:] |= times[:-1] - times[1:] > rules.pause
    span = rules.span if rules.span is not None and rules.span >= 0 else None
    if span is not None or rules.events:
        begins = _chained(begins, times, span, rules.events)
    first = np.flatnonzero(begins)
    beyond = np.append(first[1:], size)
    last, length = beyond - 1, beyond - first

    has_end = ends[first]
    at_start = starts[last]
    full = (length >= rules.events) if rules.events else np.zeros(len(first), bool)
    inside = np.minimum(beyond, size - 1)
    followed = (beyond < size) & same[inside]
    far = np.zeros(len(first), bool)
    if span is not None:
        far |= times[first] - times[inside] > span
    if rules.pause is not None and rules.pause >= 0:
        far |= times[last] - times[inside] > rules.pause
    far &= followed
    has_needed_end = has_end | (rules.ends is None)
    cut = has_needed_end & (rules.starts is None)
    by_end = has_end & (rules.starts is None)
    reasons = [at_start, full | far, followed]
    complete = np.select(
        reasons, [has_needed_end, cut, by_end], by_end if rules.bounded else np.True_
    )
    by_next = np.full(len(first), rules.starts is None)
    closed = np.select(reasons, [at_start, full | far, by_next], by_end & (rules.ends is not None))
    at_end = _AFTER + numbers[first]
    here, later = numbers[last], np.where(followed, numbers[inside], at_end)
    backwards = np.repeat(beyond - 1, length) - (
        np.arange(size) - np.repeat(np.cumsum(length) - length, length)
    )
    return Transactions(
        order[backwards],
        np.concatenate(([0], np.cumsum(length))),
        closed,
        complete,
        np.full(len(first), len(rules.fields), dtype=np.int64),
        np.where(at_start | full, here, later),
    )


def _chained(begins: Flags, times: Floats, span: float | None, most: int | None) -> Flags:
    """Where transactions begin inside of blocks: not too long after the first, nor too many."""
    size = len(begins)
    at = np.arange(size)
    block = np.flatnonzero(begins)
    bound = np.repeat(np.append(block[1:], size), np.diff(np.append(block, size)))
    following = bound
    if span is not None:
        following = _first_beyond(times, bound, span)
    if most:
        following = np.minimum(following, at + most)
    reached = np.append(begins, True)
    jump = np.append(following, size)
    for _ in range(int(np.max(bound - at)).bit_length()):
        reached[jump[reached]] = True
        jump = jump[jump]
    return reached[:-1]


def _first_beyond(times: Floats, bound: Ints, span: float) -> Ints:
    """For each event the first one after it that is more than ``span`` older, or its bound: a
    binary search for all at once."""
    low, high = np.arange(1, len(times) + 1), bound.copy()
    while (open_ := np.flatnonzero(low < high)).size:
        middle = (low[open_] + high[open_]) // 2
        beyond = times[open_] - times[middle] > span
        high[open_] = np.where(beyond, middle, high[open_])
        low[open_] = np.where(beyond, low[open_], middle + 1)
    return low


def _alone(rows: Ints, numbers: Ints) -> Transactions:
    """Events that belong to no transaction: each is shown as one of its own."""
    count = len(rows)
    return Transactions(
        rows,
        np.arange(count + 1),
        np.zeros(count, bool),
        np.ones(count, bool),
        np.zeros(count, dtype=np.int64),
        2 * _AFTER + numbers[rows],
    )
