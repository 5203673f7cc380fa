"""What ``transaction`` was asked for, and what its transactions are: rows, session by session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


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

    @property
    def bounded(self) -> bool:
        return self.starts is not None or self.ends is not None


@dataclass(frozen=True)
class Transactions:
    """Transactions in any order. ``rows`` are numbers of events, one transaction after the other,
    the oldest event of each first; transaction i has those from ``offsets[i]`` to ``offsets[i+1]``.

    ``closed_at`` orders transactions by when they were closed; ``matches`` counts the fields that
    have a value.
    """

    rows: Ints
    offsets: Ints
    closed: Flags
    complete: Flags
    matches: Ints
    closed_at: Ints

    @property
    def lengths(self) -> Ints:
        return np.diff(self.offsets)

    def pick(self, chosen: Ints) -> Transactions:
        """Some of the transactions, in the order given."""
        lengths = self.lengths[chosen]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        shift = np.repeat(self.offsets[chosen] - offsets[:-1], lengths)
        return Transactions(
            self.rows[np.arange(len(shift)) + shift],
            offsets,
            self.closed[chosen],
            self.complete[chosen],
            self.matches[chosen],
            self.closed_at[chosen],
        )


def together(parts: list[Transactions]) -> Transactions:
    """The transactions of several, one after the other."""
    lengths = np.concatenate([p.lengths for p in parts])
    return Transactions(
        np.concatenate([p.rows for p in parts]),
        np.concatenate(([0], np.cumsum(lengths))),
        np.concatenate([p.closed for p in parts]),
        np.concatenate([p.complete for p in parts]),
        np.concatenate([p.matches for p in parts]),
        np.concatenate([p.closed_at for p in parts]),
    )
