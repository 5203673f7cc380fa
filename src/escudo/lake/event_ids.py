"""Rows of new events -> the same rows with ids and the time of indexing; ``Writer`` calls it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from escudo.lake.layout import fill_times
from escudo.lake.ledger import Ledger

ID_RANGE = 1 << 17
"""Ids that are taken from the ledger at once: a transaction of some ms for 131,072 events."""


class OutOfIdsError(Exception):
    """A writer without a ledger needs more ids than it was given."""


class EventIds:
    """The numbers that one writer gives to events; no other writer of the lake gives them, too.

    Without a ledger they are those of a range that was allocated for it.
    """

    def __init__(self, ledger: Ledger | None, free: range = range(0)) -> None:
        self._ledger = ledger
        self._free = free

    def take(self, count: int) -> pa.Array:
        """So many numbers, one after the other, as int64; raises OutOfIdsError as it says."""
        if len(self._free) < count:
            if self._ledger is None:
                raise OutOfIdsError
            self._free = self._ledger.allocate(max(count, ID_RANGE))
        taken, self._free = self._free[:count], self._free[count:]
        return pa.array(np.arange(taken.start, taken.stop, dtype=np.int64))


def assign_event_ids(rows: pa.Table, ids: EventIds, now: pa.Scalar) -> pa.Table:
    """Events with new ids, indexed ``now``; this is also the ``_time`` of those that have none.

    Ids and times of indexing that are there are replaced.
    """
    rows = put_column(fill_times(rows, now), "_event_id", ids.take(rows.num_rows))
    return put_column(rows, "_indextime", pa.repeat(now, rows.num_rows))


def put_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """A table with a column of new values, in the old one's place if there is one.

    >>> put_column(pa.table({"a": [1]}), "b", pa.array([2])).to_pylist()
    [{'a': 1, 'b': 2}]
    """
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)
