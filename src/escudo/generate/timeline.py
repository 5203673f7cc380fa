"""Events of all kinds -> blocks in the order of time; later ones wait; for ``generate``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from escudo.generate.batch import Frames, rank
from escudo.generate.columns import Ints

_BLOCK = 16_384
"""Events of a kind that are put in order together."""


@dataclass(frozen=True)
class Block:
    """Consecutive events: rows of each kind in the order of time, and how they interleave.

    ``order[i]`` is the position, in the kinds' rows one after the other, of the i-th event.
    ``records`` has the event record numbers of each kind's rows.
    """

    frames: dict[str, pl.DataFrame]
    records: dict[str, Ints]
    order: Ints


class Timeline:
    """``channels`` maps each kind of event to the log it is written to, which numbers it."""

    def __init__(self, channels: dict[str, str], hosts: int, rng: np.random.Generator) -> None:
        self._channels = channels
        self._pending: Frames = {}
        names = sorted(set(channels.values()))
        self._next = {name: rng.integers(1_000, 4_000_000, hosts) for name in names}

    def push(self, frames: Frames) -> None:
        for kind in self._channels:
            frame = frames[kind]
            held = self._pending.get(kind)
            self._pending[kind] = frame if held is None else pl.concat([held, frame])

    def pop(self, until: int | None, limit: int) -> Iterator[Block]:
        """Blocks of all events before ``until`` (all there are for None), at most ``limit``."""
        ready: dict[str, pl.DataFrame] = {}
        for kind, frame in self._pending.items():
            early = frame if until is None else frame.filter(pl.col("t") < until)
            self._pending[kind] = (
                frame.clear() if until is None else frame.filter(pl.col("t") >= until)
            )
            ready[kind] = early.sort("t", maintain_order=True)
        kinds = list(ready)
        times = np.concatenate([ready[k]["t"].to_numpy() for k in kinds])
        kind_of = np.repeat(np.arange(len(kinds)), [len(ready[k]) for k in kinds])
        order = np.argsort(times, kind="stable")[:limit]
        counts = np.bincount(kind_of[order], minlength=len(kinds))
        ready = {k: ready[k].head(int(n)) for k, n in zip(kinds, counts, strict=True)}
        records = self._number(ready, kinds)
        sequence = kind_of[order]
        done = np.zeros(len(kinds), np.int64)
        for first in range(0, len(sequence), _BLOCK):
            part = sequence[first : first + _BLOCK]
            sizes = np.bincount(part, minlength=len(kinds))
            yield Block(
                {k: ready[k].slice(int(done[i]), int(sizes[i])) for i, k in enumerate(kinds)},
                {k: records[k][done[i] : done[i] + sizes[i]] for i, k in enumerate(kinds)},
                np.argsort(np.argsort(part, kind="stable"), kind="stable"),
            )
            done += sizes

    def _number(self, ready: Frames, kinds: Sequence[str]) -> dict[str, Ints]:
        out: dict[str, Ints] = {}
        for channel, following in self._next.items():
            mine = [k for k in kinds if self._channels[k] == channel]
            host = np.concatenate([ready[k]["host"].to_numpy() for k in mine])
            t = np.concatenate([ready[k]["t"].to_numpy() for k in mine])
            number = following[host] + rank(host, t)
            following += np.bincount(host, minlength=len(following))
            at = 0
            for k in mine:
                out[k] = number[at : at + len(ready[k])]
                at += len(ready[k])
        return out
