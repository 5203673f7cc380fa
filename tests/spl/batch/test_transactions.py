"""Transactions over tables made by hand: events newest first, as the command sees them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.spl.batch import transactions
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


_VALUE = st.sampled_from(["a", "b", "c"])
_EVENT = st.fixed_dictionaries(
    {
        "_time": st.integers(0, 20) | st.floats(0, 20),
        "u": _VALUE,
        "h": _VALUE,
        "m": st.none() | st.lists(_VALUE, max_size=2),
        "n": st.sampled_from([None, 1.0, 2.5]),
        "_raw": st.sampled_from([None, "", "x", "one\ntwo"]),
        "starts": st.booleans(),
        "ends": st.booleans(),
    }
)
_TYPES = pa.schema(
    [
        ("_time", pa.float64()),
        ("u", pa.string()),
        ("h", pa.string()),
        ("m", pa.list_(pa.string())),
        ("n", pa.float64()),
        ("_raw", pa.string()),
        ("starts", pa.bool_()),
        ("ends", pa.bool_()),
    ]
)
_RULES = st.builds(
    Rules,
    st.sampled_from([(), ("u",), ("u", "h")]),
    st.sampled_from([None, "starts"]),
    st.sampled_from([None, "ends"]),
    st.sampled_from([None, 0.0, 3.0, 7.5]),
    st.sampled_from([None, 1.0, 2.0]),
    st.sampled_from([None, 1, 2, 1000]),
    connected=st.booleans(),
    keep_evicted=st.booleans(),
    listed=st.sampled_from([(), None, ("n", "u")]),
)


@pytest.mark.slow
@given(st.lists(_EVENT, max_size=14), _RULES)
def test_columns_at_once_and_event_by_event_agree(
    events: list[dict[str, Any]], rules: Rules
) -> None:
    events.sort(key=lambda event: -event["_time"])
    table = pa.Table.from_pylist(events, _TYPES)
    at_once = transactions_of(table, rules, ["starts", "ends"])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transactions, "find_sessions", lambda *_: None)
        one_by_one = transactions_of(table, rules, ["starts", "ends"])
    assert at_once.schema == one_by_one.schema
    assert at_once.to_pylist() == one_by_one.to_pylist()
