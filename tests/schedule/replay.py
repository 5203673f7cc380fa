"""A lake of old logs -> the same events once more, in the order of their time, into another lake.

The clock moves from one full hour to the next that has to do with events; what was before it has
come in when it strikes. So a worker sees the logs as it would have seen them then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.lake.tables import NOTABLE, RISK, STASH

HOUR = 3600.0


@dataclass
class Replay:
    """The events of a lake, by table, sorted by time."""

    tables: Mapping[str, pa.Table]
    times: Mapping[str, np.ndarray]
    fed_to: float = -math.inf

    @classmethod
    def read(cls, source: Lake) -> Replay:
        snapshot = source.snapshot()
        tables: dict[str, pa.Table] = {}
        times: dict[str, np.ndarray] = {}
        for name in snapshot.tables():
            files = snapshot.files(name, ALL_TIME)
            if not files or name in (RISK, NOTABLE, STASH):
                continue
            parts = [pq.read_table(f) for f in files]
            rows = pa.concat_tables(parts, promote_options="default").sort_by("_time")
            tables[name] = rows
            times[name] = pc.cast(rows["_time"], pa.int64()).to_numpy() / 1_000_000
        return cls(tables, times)

    def list_ticks(self) -> list[float]:
        """The full hours at which a window from 70 to 10 minutes before has events in it."""
        hours = np.unique(np.concatenate([np.floor(t / HOUR) for t in self.times.values()]))
        return [float(h * HOUR) for h in np.unique(np.concatenate([hours + 1, hours + 2]))]

    def feed(self, target: Lake, until: float) -> int:
        """Brings into a lake what was before a time and is not there; how many rows."""
        fed = 0
        with target.writer() as writer:
            for name, rows in self.tables.items():
                low, high = np.searchsorted(self.times[name], (self.fed_to, until))
                if high > low:
                    writer.append_rows(name, rows.slice(low, high - low))
                    fed += int(high - low)
            writer.commit(kind="ingest")
        self.fed_to = until
        return fed

    def count_between(self, low: float, high: float) -> int:
        """Rows of a time, in all tables."""
        ends = (np.searchsorted(times, (low, high)) for times in self.times.values())
        return int(sum(end - begin for begin, end in ends))
