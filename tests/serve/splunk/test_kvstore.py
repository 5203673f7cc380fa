"""Queries of the KV store, as Splunk documents them (REST API Reference: KV store endpoints)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.kvstore import Collections, matches, select_rows

ROW: dict[str, Any] = {"a": 5, "name": "ana", "tags": ["x", "y"], "b": {"c": "deep"}, "no": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, True),
        ({"a": 5}, True),
        ({"a": "5"}, False),
        ({"tags": "x"}, True),
        ({"tags": ["x", "y"]}, True),
        ({"b.c": "deep"}, True),
        ({"b": {"c": "deep"}}, True),
        ({"a": {"$gt": 4, "$lt": 6}}, True),
        ({"a": {"$gte": 6}}, False),
        ({"a": {"$lte": 5}}, True),
        ({"a": {"$gt": "4"}}, False),
        ({"name": {"$gt": "alf"}}, True),
        ({"a": {"$in": [1, 5]}}, True),
        ({"a": {"$nin": [1, 5]}}, False),
        ({"a": {"$ne": 5}}, False),
        ({"missing": {"$exists": False}}, True),
        ({"a": {"$exists": True}}, True),
        ({"name": {"$regex": "^an"}}, True),
        ({"name": {"$regex": "^AN"}}, False),
        ({"name": {"$regex": "^AN", "$options": "i"}}, True),
        ({"name": {"$regex": "n.$", "$options": ""}}, True),
        ({"a": {"$regex": "5"}}, False),
        ({"a": {"$not": {"$gt": 9}}}, True),
        ({"$and": [{"a": 5}, {"name": "ben"}]}, False),
        ({"$or": [{"a": 6}, {"name": "ana"}]}, True),
        ({"$nor": [{"a": 6}, {"name": "ben"}]}, True),
        ({"$not": {"a": 6}}, True),
    ],
)
def test_what_a_query_finds(query: dict[str, Any], expected: bool) -> None:
    assert matches(ROW, query) is expected


@pytest.mark.parametrize(
    "query",
    [
        [],
        {"$where": "1"},
        {"a": {"$near": 1}},
        {"$or": {"a": 1}},
        {"a": {"$in": 5}},
        {"name": {"$regex": "("}},
        {"name": {"$regex": "a" * 500}},
        {"name": {"$regex": "\ud800"}},
        {"name": {"$regex": "a", "$options": "x"}},
        {"name": {"$options": "i"}},
        {"a": {"$not": 5}},
    ],
)
def test_what_cannot_be_read_is_told(query: Any) -> None:
    with pytest.raises(EscudoError, match="SRV044"):
        select_rows([ROW], query=query)


def test_fields_sorting_and_pages() -> None:
    rows = [{"_key": str(n), "n": n % 3, "m": n} for n in range(6)]
    assert [row["m"] for row in select_rows(rows, sort="n:-1,m")] == [2, 5, 1, 4, 0, 3]
    assert select_rows(rows, fields="m:0", limit=1) == [{"_key": "0", "n": 0}]
    assert select_rows(rows, fields="m,_key:0", skip=5) == [{"m": 5}]
    mixed = [{"a": None}, {"a": "x"}, {"a": 3}, {}]
    assert [row.get("a") for row in select_rows(mixed, sort="a")] == [None, None, 3, "x"]


def test_rows_are_kept_apart_and_written_for_searches(tmp_path: Path) -> None:
    with State.open("sqlite://") as state:
        store = Collections(state, clock=lambda: 0.0)
        (key,) = store.put("search", "nobody", "c", [{"a": True, "b": {"c": 1}, "d": 'x,"y"'}])
        store.put("search", "nobody", "other", [{"_key": key}])
        with pytest.raises(EscudoError, match="SRV043"):
            store.put("search", "nobody", "c", [{"_key": key}], new=True)
        assert len(store.put("search", "nobody", "c", [{"_key": "k"}, {"_key": "k", "a": 2}])) == 2
        assert store.find("search", "nobody", "c", "k") == {"_key": "k", "a": 2}
        store.write_csv("search", "nobody", "c", tmp_path / "c.csv")
        lines = (tmp_path / "c.csv").read_text().splitlines()
        assert sorted(lines[1:]) == sorted([f'true,"{{""c"": 1}}","x,""y""",{key}', "2,,,k"])
        assert store.remove("search", "nobody", "c", None) == 2
        with pytest.raises(EscudoError, match="SRV041"):
            store.find("search", "nobody", "c", "k")
        assert store.list("search", "nobody", "other") == [{"_key": key}]
        with pytest.raises(EscudoError, match="SRV043"):
            store.put("search", "nobody", "c", [{}] * 1_001)
        with pytest.raises(EscudoError, match="SRV043"):
            store.put("search", "nobody", "c", [{"a": "\ud800"}])
        for number in (float("nan"), float("inf")):
            with pytest.raises(EscudoError, match="SRV043"):
                store.put("search", "nobody", "c", [{"a": [number]}])


def test_a_pattern_takes_no_longer_than_its_text() -> None:
    begun = time.monotonic()
    assert not matches({"a": "a" * 5_000 + "!"}, {"a": {"$regex": "^(?:a|a|aa)+$"}})
    assert time.monotonic() - begun < 5


def test_a_query_that_is_nested_too_deep_is_told() -> None:
    query: dict[str, Any] = {"a": 5}
    for _ in range(5_000):
        query = {"$not": query}
    with pytest.raises(EscudoError, match="SRV044"):
        select_rows([ROW], query=query)
