"""A script, a number of lines, days -> how many groups of each kind begin when; ``write`` calls it.

The lines are exactly as many as asked for: kinds are drawn until no whole group fits, and groups of
one event make up the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from escudo.generate.activity.hours import BIN, BINS, DAY, Floats, bin_weights
from escudo.generate.activity.script import Kind
from escudo.generate.columns import Ints

_SLICE_LINES = 20_000
"""Lines that are made together. Of a million CloudTrail records (2026-11-30, two busy cores):
140,000 a second and 330 MB of memory with 10,000 lines, 200,000 and 430 MB with 20,000, 250,000 and
575 MB with 40,000, 255,000 and 850 MB with 80,000."""


@dataclass(frozen=True)
class Slice:
    """A run of five-minute bins. ``shares`` says how many groups of a kind begin in each bin, by
    kind and bin, in any unit; ``lines`` how many lines the groups of the slice have."""

    day: int
    start: int
    end: int
    shares: Floats
    lines: int


def plan_slices(kinds: Sequence[Kind], lines: int, start: int, days: int) -> Iterator[Slice]:
    """Consecutive slices of some days, whose lines are ``lines`` in all."""
    week = [_day_shares(kinds, start + day * DAY) for day in range(min(days, 7))]
    sizes = np.array([len(kind.events) for kind in kinds])
    expected = [sizes @ shares for shares in week]
    total = sum(float(expected[day % 7].sum()) for day in range(days))
    before = 0.0
    done = 0
    for day in range(days):
        upto = before + np.cumsum(expected[day % 7])
        before = float(upto[-1])
        ends = np.rint(upto / total * lines).astype(np.int64)
        if day == days - 1:
            ends[-1] = lines
        yield from _cut(ends, week[day % 7], day, start + day * DAY, done)
        done = int(ends[-1])


def _cut(ends: Ints, shares: Floats, day: int, start: int, done: int) -> Iterator[Slice]:
    """The slices of a day. ``ends`` has the lines from the log's begin to each bin's end, ``done``
    those before the day."""
    first = 0
    for i in range(BINS):
        if ends[i] - done >= _SLICE_LINES or i == BINS - 1:
            yield Slice(
                day=day,
                start=start + first * BIN,
                end=start + (i + 1) * BIN,
                shares=shares[:, first : i + 1],
                lines=int(ends[i]) - done,
            )
            first, done = i + 1, int(ends[i])


def _day_shares(kinds: Sequence[Kind], start: int) -> Floats:
    return np.stack([kind.weight * bin_weights(kind.hours, start) for kind in kinds])


def plan_groups(part: Slice, kinds: Sequence[Kind], rng: np.random.Generator) -> list[Ints]:
    """When the groups of each kind begin, in nanoseconds."""
    drawn = _draw_kinds(part, kinds, rng)
    return [
        _begins(part, kind, shares, int(count), rng)
        for kind, shares, count in zip(kinds, part.shares, drawn, strict=True)
    ]


def _draw_kinds(part: Slice, kinds: Sequence[Kind], rng: np.random.Generator) -> Ints:
    """How many groups of each kind have the slice's lines in all."""
    sizes = np.array([len(kind.events) for kind in kinds], np.int64)
    weights = part.shares.sum(axis=1)
    sequence = rng.choice(len(kinds), part.lines, p=weights / weights.sum())
    fitting = int(np.searchsorted(np.cumsum(sizes[sequence]), part.lines, side="right"))
    rest = part.lines - int(sizes[sequence[:fitting]].sum())
    single = np.where(sizes == 1, weights, 0)
    filling = rng.choice(len(kinds), rest, p=single / single.sum())
    chosen = np.concatenate([sequence[:fitting], filling])
    return np.bincount(chosen, minlength=len(kinds)).astype(np.int64)


def _begins(part: Slice, kind: Kind, shares: Floats, count: int, rng: np.random.Generator) -> Ints:
    bins = rng.choice(len(shares), count, p=shares / shares.sum())
    within = rng.uniform(0.1, 4, count) * 1e9 if kind.snap else rng.random(count) * (BIN - 1)
    begins: Ints = part.start + bins * BIN + within.astype(np.int64)
    return begins
