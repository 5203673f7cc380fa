"""Transactions over tables made by hand: events newest first, as the command sees them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from escudo.spl.batch.transactions import Rules, transactions_of

Event = tuple[float, str | None, str]


def gathered(events: list[Event], rules: Rules) -> list[dict[str, Any]]:
    """Events (time, user, kind), kinds ``s`` and ``e`` being starts and ends."""
    table = pa.table(
        {
            "_time": pa.array([t for t, _, _ in events], pa.float64()),
            "user": pa.array([u for _, u, _ in events], pa.string()),
            "kind": [k for _, _, k in events],
            "starts": [k == "s" for _, _, k in events],
            "ends": [k == "e" for _, _, k in events],
        }
    )
    return transactions_of(table, rules, ["starts", "ends"]).to_pylist()


def shape(rows: list[dict[str, Any]]) -> list[tuple[float, float, int, int]]:
    return [(r["_time"], r["duration"], r["eventcount"], r["closed_txn"]) for r in rows]


BOTH = {"starts": "starts", "ends": "ends"}


@pytest.mark.parametrize(
    ("events", "rules", "expected"),
    [
        ([(9, "a", "x"), (5, "b", "x"), (1, "a", "x")], {}, [(5, 0, 1, 0), (1, 8, 2, 0)]),
        ([(9, "a", "x"), (5, None, "x")], {}, [(9, 0, 1, 0)]),
        ([(9, "a", "x"), (1, "a", "x")], {"pause": 5.0}, [(9, 0, 1, 1), (1, 0, 1, 0)]),
        (
            [(9, "a", "x"), (6, "a", "x"), (3, "a", "x")],
            {"span": 5.0},
            [(6, 3, 2, 1), (3, 0, 1, 0)],
        ),
        (
            [(3, "a", "x"), (2, "a", "x"), (1, "a", "x")],
            {"events": 2},
            [(2, 1, 2, 1), (1, 0, 1, 0)],
        ),
        ([(9, "a", "e"), (5, "a", "x"), (1, "a", "s")], BOTH, [(1, 8, 3, 1)]),
        ([(9, "a", "x"), (5, "a", "e"), (1, "a", "s")], BOTH, [(1, 4, 2, 1)]),
        ([(9, "a", "e"), (5, "a", "x")], BOTH, []),
        ([(9, "a", "e"), (5, "a", "x")], BOTH | {"keep_evicted": True}, [(5, 4, 2, 0)]),
        (
            [(9, "a", "x"), (5, "a", "s"), (3, "a", "x"), (1, "a", "s")],
            {"starts": "starts"},
            [(5, 4, 2, 1), (1, 2, 2, 1)],
        ),
        (
            [(9, "a", "x"), (5, "a", "e"), (3, "a", "x"), (1, "a", "e")],
            {"ends": "ends"},
            [(3, 2, 2, 1), (1, 0, 1, 1)],
        ),
        ([(9, None, "x")], {"keep_orphans": True}, [(9, 0, 1, 0)]),
    ],
)
def test_shapes(
    events: list[Event], rules: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    assert shape(gathered(events, Rules(("user",), **rules))) == expected


def test_values_are_distinct_and_sorted_or_as_they_come() -> None:
    events: list[Event] = [(3, "a", "z"), (2, "a", "y"), (1, "a", "z")]
    (row,) = gathered(events, Rules(("user",)))
    assert row["kind"] == ["y", "z"]
    (row,) = gathered(events, Rules(("user",), listed=None))
    assert row["kind"] == ["z", "y", "z"]


def test_fields_that_do_not_contradict_belong_together() -> None:
    table = pa.table(
        {
            "_time": pa.array([3.0, 2.0, 1.0]),
            "u": pa.array(["a", None, "a"]),
            "h": pa.array(["x", "x", None]),
        }
    )
    assert transactions_of(table, Rules(("u", "h")), []).column("eventcount").to_pylist() == [3]


def test_without_fields_all_events_are_one() -> None:
    rows = gathered([(3, "a", "x"), (1, None, "x")], Rules(()))
    assert shape(rows) == [(1, 2, 2, 0)]


def test_no_events() -> None:
    assert gathered([], Rules(("user",))) == []
