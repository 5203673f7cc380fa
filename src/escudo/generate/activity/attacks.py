"""The steps of a script's attacks -> groups at their times; ``write`` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from escudo.generate.activity.drawn_tables import Table
from escudo.generate.activity.groups import Groups
from escudo.generate.activity.hours import BIN
from escudo.generate.activity.script import Script, Step
from escudo.generate.columns import Ints

_MINUTE = 60 * 10**9
_FIRST, _LAST = 130, 190
"""The bins of a day (10:50 to 15:50) between which intrusions begin."""


@dataclass(frozen=True)
class Planted:
    """One step of one intrusion."""

    campaign: int
    step: Step
    groups: Groups


def fitting_steps(steps: Sequence[Step], lines: int) -> tuple[Step, ...]:
    """The first steps whose lines are at most half of a log's, so that small logs are no attack
    from end to end."""
    total = np.cumsum([step.lines for step in steps])
    return tuple(steps[: int(np.searchsorted(total, lines // 2, side="right"))])


def plan_attacks(
    script: Script,
    steps: Sequence[Step],
    tables: Mapping[str, Table],
    *,
    day_start: int,
    campaigns: range,
    rng: np.random.Generator,
) -> Iterator[Planted]:
    """The steps of a day's intrusions."""
    for campaign in campaigns:
        begin = day_start + int(rng.uniform(_FIRST, _LAST) * BIN)
        shared = {name: tables[name].draw(1, rng) for name in script.campaign}
        for step in steps:
            start = begin + int(step.after * _MINUTE) + _spread(step, rng)
            rows = {name: np.repeat(row, step.times) for name, row in shared.items()}
            rows |= {
                name: np.full(step.times, tables[name].find(key), np.int64)
                for name, key in step.pick.items()
            }
            if step.each is not None:
                rows[step.each] = np.arange(step.times, dtype=np.int64)
            yield Planted(campaign, step, Groups(start, step.events, tables, rng, rows))


def _spread(step: Step, rng: np.random.Generator) -> Ints:
    """When the groups of a step begin after the first of them, in nanoseconds."""
    if step.times == 1:
        return np.zeros(1, np.int64)
    return np.sort(rng.uniform(0, step.within * 1e9, step.times)).astype(np.int64)
