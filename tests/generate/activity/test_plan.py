"""A plan has exactly the lines that were asked for, at the hours of its kinds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.generate.activity.hours import BIN, DAY, HOURS
from escudo.generate.activity.plan import plan_groups, plan_slices
from escudo.generate.activity.script import Event, Kind

TUESDAY = 1_715_644_800 * 10**9


def kind(lines: int, hours: str = "steady", *, snap: bool = False) -> Kind:
    return Kind(f"{hours}{lines}", 10.0, hours, snap, (Event(("x",)),) * lines)


@settings(max_examples=60, deadline=None)
@given(
    lines=st.integers(0, 30_000),
    sizes=st.lists(st.integers(1, 9), max_size=4),
    days=st.integers(1, 3),
    hours=st.sampled_from(sorted(HOURS)),
)
def test_exactly_as_many_lines_as_asked_for(
    lines: int, sizes: list[int], days: int, hours: str
) -> None:
    kinds = [kind(1), *(kind(size, hours) for size in sizes)]
    planned = 0
    end = TUESDAY
    for part in plan_slices(kinds, lines, TUESDAY, days):
        assert part.start == end
        end = part.end
        begins = plan_groups(part, kinds, np.random.default_rng(1))
        for of_kind, times in zip(kinds, begins, strict=True):
            planned += len(times) * len(of_kind.events)
            assert all(part.start <= t < part.end for t in times.tolist())
    assert (planned, end) == (lines, TUESDAY + days * DAY)


def test_a_plan_is_cut_into_slices() -> None:
    parts = list(plan_slices([kind(1)], 1_000_000, TUESDAY, 1))
    assert len(parts) > 40
    assert max(part.lines for part in parts) < 25_000


def test_kinds_that_snap_begin_on_the_five_minutes() -> None:
    kinds = [kind(1, snap=True)]
    (part,) = plan_slices(kinds, 1_000, TUESDAY, 1)
    (begins,) = plan_groups(part, kinds, np.random.default_rng(1))
    assert int((begins % BIN).max()) < 5 * 10**9
