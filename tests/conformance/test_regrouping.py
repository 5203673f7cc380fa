"""``stats`` by all that rows were grouped by before: each group is a row, and is not grouped again.

What it gives is what the same search gives where groups are made whatever is known of the rows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlglot import exp

from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Engine, run_search
from escudo.spl import stats_functions
from escudo.spl.relation.relation import Relation
from tests.conformance.cases import Case
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.conformance.engines import find_rows, problem
from tests.conformance.test_many_patterns import engine

__all__ = ["engine"]

CASE = Case(
    file="commands/stats",
    name="grouped again",
    source="Search Reference, stats",
    spl="",
    rows=[
        {
            "_time": NOW - number,
            "k": "abc"[number % 3] if number != 7 else None,
            "g": ["p", "q"][: number % 3],
            "n": str(number) if number % 3 else None,
            "t": ["x", "10", "9"][number % 3],
            "m": ["v", "u", "v"][number % 4 :] or None,
        }
        for number in range(12)
    ],
    expect=[],
)
GROUPED = (
    "stats count sum(n) AS n sum(t) AS s first(t) AS t values(m) AS m min(_time) AS _time BY k g"
)
NUMBERED = {name for name, row in stats_functions.items() if row.takes_number}
SHOWN = ", ".join(
    f"{name}{'50' if name in NUMBERED else ''}({of}) AS {name}_{of}"
    for name in stats_functions
    for of in ("n", "t", "m", "count")
)
SEARCHES = (
    f"{GROUPED} | stats {SHOWN} BY k g",
    f"{GROUPED} | stats count count(eval(n > 5)) AS high sum(eval(n * 2)) AS twice BY g k",
    f"{GROUPED} | stats list(t) values(m) count BY g k t",
    f"{GROUPED} | eval k=lower(k) | stats count BY k g",
    f'{GROUPED} | eval z=replace(t, "x", "y") | stats max(n) AS n BY k g z',
    f"{GROUPED} | rename k AS key | where n > 3 | stats values(t) AS t BY key g",
    f"{GROUPED} | eventstats avg(n) AS mean BY g | stats values(mean) AS mean BY k, g",
    f"{GROUPED} | streamstats count AS place | head 4 | stats values(place) AS p BY k g",
    f"{GROUPED} | mvexpand m | stats count BY k g",
    f"{GROUPED} | append [search * | {GROUPED}] | stats count BY k g",
    f"{GROUPED} | join max=0 k [search * | {GROUPED} | fields k t] | stats count BY k g",
    f"{GROUPED} | stats count BY k",
    f"{GROUPED} | stats count BY k g gone",
    f"{GROUPED} | stats sparkline(count) AS line BY k g",
    f"{GROUPED} | chart max(n) OVER k BY g",
    f"{GROUPED} | stats values(m) AS m BY k g | nomv m | stats values(m) AS m BY k g",
)


@pytest.mark.parametrize("search", SEARCHES)
def test_the_same_rows(
    search: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = replace(CASE, spl=f"* | {search}")
    grouped, alone = tmp_path / "grouped", tmp_path / "alone"
    grouped.mkdir()
    alone.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(Relation, "distinct_by", frozenset())
        rows = find_rows(case, engine, grouped)
    assert rows or "gone" in search
    assert problem(replace(case, expect=rows), engine, alone) is None


@pytest.mark.parametrize(
    ("search", "groupings"),
    [(SEARCHES[1], 1), (SEARCHES[5], 1), (SEARCHES[6], 1), (SEARCHES[8], 2), (SEARCHES[11], 2)],
)
def test_a_group_is_made_once(search: str, groupings: int, tmp_path: Path) -> None:
    catalog = RowsCatalog(tmp_path)
    catalog.events([{"k": "a", "g": "p", "n": "9", "t": "x", "m": ["u"]}])
    with connect(threads=1) as connection:
        engine = DuckDBEngine(catalog, connection)
        compiled = run_search(f"* | {search}", engine, catalog, PlainKnowledge(), now=0.0).compiled
    found = [s for s in compiled.query.find_all(exp.Select) if s.args.get("group")]
    assert len(found) == groupings
