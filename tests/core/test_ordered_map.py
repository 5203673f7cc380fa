"""Results come in order whatever is done ahead, and what was done too early is done again."""

from __future__ import annotations

from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.core.ordered_map import map_in_order


@given(st.integers(0, 20), st.integers(1, 4), st.sets(st.integers(0, 20)))
def test_what_a_result_changes_is_seen_by_those_after_it(
    count: int, threads: int, changing: set[int]
) -> None:
    """As if one were called after the other."""
    state = 0
    found = []
    results = map_in_order(
        lambda n: (n, state), range(count), threads=threads, changes=lambda r: r[0] in changing
    )
    for n, seen in results:
        found.append((n, seen))
        if n in changing:
            state += 1
    assert found == [(n, sum(c < n for c in changing)) for n in range(count)]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab-")), max_size=20),
    st.integers(1, 4),
)
def test_what_reads_nothing_that_was_changed_is_done_once(
    plan: list[tuple[str, str]], threads: int
) -> None:
    """Each call reads a cell, and its result may raise one."""
    cells = {"a": 0, "b": 0}
    calls: list[int] = []

    def read(number: int) -> tuple[int, int]:
        calls.append(number)
        return number, cells[plan[number][0]]

    results = map_in_order(
        read,
        range(len(plan)),
        threads=threads,
        changes=lambda r: plan[r[0]][1] != "-",
        is_stale=lambda r: cells[plan[r[0]][0]] != r[1],
    )
    expected = {"a": 0, "b": 0}
    for number, seen in results:
        reads, raises = plan[number]
        assert seen == expected[reads]
        if raises != "-":
            cells[raises] += 1
            expected[raises] += 1
    raised = {c for _, c in plan}
    untouched = [n for n, (reads, _) in enumerate(plan) if reads not in raised]
    assert all(calls.count(n) == 1 for n in untouched)
    assert set(calls) == set(range(len(plan)))


def test_an_error_that_a_change_mends_is_none() -> None:
    ready = []
    results = map_in_order(
        lambda n: n if n == 0 else ready[0] // n,
        range(3),
        threads=2,
        changes=lambda r: r == 0,
        is_stale=lambda _: False,
    )
    assert next(results) == 0
    ready.append(8)
    assert list(results) == [8, 4]


def test_calls_run_at_once() -> None:
    meeting = Barrier(2, timeout=10)
    assert len(list(map_in_order(lambda _: meeting.wait(), range(4), threads=2))) == 4


def test_one_thread_is_not_map_in_order() -> None:
    begun: list[int] = []
    next(map_in_order(begun.append, range(3), threads=1))
    assert begun == [0]


def test_an_error_comes_in_its_place() -> None:
    found = map_in_order(lambda n: 1 // n, [1, 0, 2], threads=2)
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)
