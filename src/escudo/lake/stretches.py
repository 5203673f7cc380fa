"""The files of a snapshot -> stretches of time, the newest first, so that a search need not look at
all of it before it shows something; ``actions.live_search`` runs over one after the other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from escudo.core.timerange import TimeRange
from escudo.lake.snapshot import Snapshot

_MICROSECONDS = 1_000_000


class Stretches:
    """What is left of a time, of which the newest part is taken again and again.

    How many rows a part has is estimated: those of a file are taken to be spread evenly over it.
    All parts together are the time, and no two have a moment in common. What is left ends at
    ``end``.
    """

    def __init__(self, snapshot: Snapshot, tables: Iterable[str], within: TimeRange) -> None:
        self._earliest = within.earliest
        self.end = within.latest
        self._seen = 0.0
        self._over = False
        files = [f for t in set(tables) for f in snapshot.data_files(t) if f.rows]
        files = [f for f in files if f.low is not None and f.high is not None]
        low = np.array([f.low for f in files], dtype=np.float64) / _MICROSECONDS
        high = np.array([f.high for f in files], dtype=np.float64) / _MICROSECONDS + 1e-6
        rows = np.array([f.rows for f in files], dtype=np.float64)
        edges = np.unique(np.concatenate([low, high]))
        if within.earliest is not None:
            edges = np.append(edges[edges > within.earliest], within.earliest)
        if within.latest is not None:
            edges = np.append(edges[edges < within.latest], within.latest)
        self._times = np.unique(edges)[::-1]
        """Times, falling, and how many rows of the time are newer than each."""
        newer = np.zeros(len(self._times))
        for begin, end, count in zip(low, high, rows, strict=True):
            newer += count * np.clip((end - self._times) / (end - begin), 0.0, 1.0)
        self._newer = newer - newer[0] if len(newer) else newer

    @property
    def done(self) -> float:
        """Which part of the rows has been taken, from 0 to 1."""
        total = float(self._newer[-1]) if len(self._newer) else 0.0
        return 1.0 if self._over or not total else min(1.0, self._seen / total)

    def take(self, rows: float) -> TimeRange | None:
        """The newest part that is left, with about so many rows; None where nothing is left."""
        if self._over:
            return None
        self._seen += rows
        begin = self._earliest
        if len(self._newer) and self._seen < self._newer[-1]:
            begin = float(np.interp(self._seen, self._newer, self._times))
            if self.end is not None and begin >= self.end:
                begin = self.end
        else:
            self._over = True
        taken = TimeRange(begin, self.end)
        self.end = begin
        return taken
