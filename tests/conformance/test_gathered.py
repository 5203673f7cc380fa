"""A hunt asks for a row with what a search looks for in ``values()`` of groups: it leaves out no
search that has rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from escudo.engines.duckdb import DuckDBEngine, connect
from tests.conformance.cases import Case
from tests.conformance.catalog import NOW, RowsCatalog
from tests.conformance.engines import find_rows, is_left_out

GROUPINGS = (
    "stats values(x) AS v count BY k",
    "stats values(x) AS v list(y) AS w count BY k",
    "stats list(x) AS v count BY k",
    "stats values(eval(lower(x))) AS v count BY k",
    "stats values(m) AS v count BY k",
    "stats values(x) AS v BY k y | stats values(v) AS v count BY y",
    "stats values(x) AS v BY k y | stats count BY y v",
    "stats values(x) AS v count BY k | eval v=mvappend(v, k)",
    "stats values(x) AS v count BY k | eventstats max(count) AS most",
)
CONDITIONS = (
    "search v=a",
    "search v=a v=b",
    "search NOT v=a",
    "search v!=a",
    "search v=a* OR k=p",
    "search v=a count>1",
    'where v="a"',
    'where isnotnull(mvfind(v, "a"))',
    'where mvcount(mvfilter(match(v, "a")))>0',
    'where isnull(mvfilter(match(v, "a")))',
    "where count>1 | search v=b",
    "search v=b | where count>2",
    'eval u=upper(v) | search u="A"',
    'eval u=if(isnull(v), "none", "some") | search u=none',
    "lookup t x AS v OUTPUT w AS said | search said=yes",
    "lookup t x AS v OUTPUT w AS said | search NOT said=yes",
    "lookup t x AS v OUTPUT w AS said | where isnull(said)",
    "lookup t x AS v OUTPUT w AS said | fillnull value=no said | search said=no",
    "lookup many x AS v OUTPUT w AS said | search said=yes",
)


def draw(chance: random.Random) -> Case:
    """Few events with few values; lookups of one match, with wildcards, and of several."""
    texts: Sequence[str | None] = ("a", "A", "ab", "b", "c", None)
    some = chance.sample(texts, chance.randint(1, len(texts)))
    rows = [
        {
            "_time": NOW - number,
            "x": chance.choice(some),
            "y": chance.choice(("1", "2")),
            "k": chance.choice(("p", "q", None)),
            "m": [t for t in chance.choices(some, k=2) if t is not None] or None,
        }
        for number in range(chance.randint(1, 8))
    ]
    keys = [chance.choice(("a", "a*", "b", "c", "z")) for _ in range(3)]
    told = [{"x": key, "w": chance.choice(("yes", "no"))} for key in dict.fromkeys(keys)]
    one = {"rows": told, "match_types": {"x": "WILDCARD"}, "max_matches": 1}
    one |= {"default_match": "no", "min_matches": 1} if chance.random() < 0.5 else {}
    return Case(
        file="commands/stats",
        name="values of groups",
        source="Search Reference, stats",
        spl="",
        rows=rows,
        lookups={"t": one, "many": {"rows": told}},
        expect=[],
    )


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_no_search_with_rows_is_left_out(grouping: str, tmp_path: Path) -> None:
    chance = random.Random(grouping)
    wrong, left_out = [], 0
    with connect(threads=1) as connection:
        engine = DuckDBEngine(RowsCatalog(tmp_path), connection)
        for number, condition in enumerate(CONDITIONS * 3):
            case = replace(draw(chance), spl=f"* | {grouping} | {condition}")
            found, asked = tmp_path / f"found{number}", tmp_path / f"asked{number}"
            found.mkdir()
            asked.mkdir()
            rows = find_rows(case, engine, found)
            if is_left_out(case, engine, asked):
                left_out += 1
                wrong += [(case.spl, case.rows, case.lookups, rows)] if rows else []
    assert wrong == []
    assert left_out > 0


@pytest.mark.parametrize(
    ("search", "left_out"),
    [
        ("search v=a v=b", False),
        ("search v=a | search v=b", False),
        ("search v=a v=z", False),
        ("search v=z", True),
        ("search v=a | where count=3", False),
        ("where count>2 | search v=a", False),
        ("search v=a | where count>2", False),
        ("search v=a OR v=z", False),
        ("search v=y OR v=z", True),
        ("search v=z k=p", True),
        ("search NOT v=z", False),
    ],
)
def test_each_value_may_be_of_another_row(search: str, left_out: bool, tmp_path: Path) -> None:
    rows = [{"k": "p", "x": x} for x in ("a", "b", "b")]
    case = Case(
        file="commands/stats",
        name="values of rows",
        source="Search Reference, stats",
        spl=f"* | stats values(x) AS v count BY k | {search}",
        rows=rows,
        expect=[],
    )
    with connect(threads=1) as connection:
        engine = DuckDBEngine(RowsCatalog(tmp_path), connection)
        assert is_left_out(case, engine, tmp_path) is left_out
