"""What filters of lookups, and joins, ask of rows before they are grouped: the same rows stay."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp

from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Engine, run_search
from escudo.spl.operators import described_lookups
from escudo.spl.relation.relation import Relation
from tests.conformance.cases import Case
from tests.conformance.catalog import PlainKnowledge, RowsCatalog
from tests.conformance.engines import find_rows, problem
from tests.conformance.test_many_patterns import engine

__all__ = ["engine"]

CONDITIONS = (
    'search v="x"',
    "search v=X",
    'search NOT v="x"',
    "search v=*",
    "search NOT v=*",
    'search v="x" OR g="1"',
    'where v="x"',
    'where v!="x"',
    "where isnull(v)",
    'where isnotnull(v) AND v="y"',
    'where like(v, "%x%")',
    "where mvcount(v)=1",
    "where mvcount(v)>1",
    'search v="d"',
    'eval u=upper(v) | search u="X"',
    'eval v=if(k="ab", null(), v) | search v="x"',
    'streamstats count as n | search v="x"',
    'head 2 | search v="x"',
    'search v="x" | head 2 | search v="y"',
    'mvexpand v | search v="x"',
    "dedup v | search v=*",
    'lookup t k OUTPUTNEW w AS v | search v="x"',
    'lookup t k OUTPUT w | search w="x" v="x"',
)


def draw(chance: random.Random) -> Case:
    """A lookup of few keys, of each kind; events with several keys and none."""

    def text(letters: str, most: int) -> str:
        return "".join(chance.choice(letters) for _ in range(chance.randint(1, most)))

    wildcards = chance.random() < 0.6
    settings: dict[str, Any] = {"case_sensitive": chance.random() < 0.5}
    if wildcards:
        settings["match_types"] = {"k": "WILDCARD"}
    settings["max_matches"] = chance.choice((1, 2, 1000))
    if chance.random() < 0.5:
        settings |= {"default_match": "d", "min_matches": chance.choice((0, 1))}
    outputs: Sequence[str | None] = chance.choice(
        (["x"], ["x", None], ["x", "y"], ["x", "y", None])
    )
    keys = "aB.*" if wildcards else "aB.$"
    settings["rows"] = [
        {"k": text(keys, 3) if chance.random() < 0.95 else None, "v": chance.choice(outputs)}
        | {"w": chance.choice(("x", "y", "z"))}
        for _ in range(chance.randint(1, 6))
    ]
    rows = [
        {"k": text("aAbB.\n$", 3) if chance.random() < 0.95 else None, "g": chance.choice("12")}
        for _ in range(40)
    ]
    return Case(
        file="commands/lookup",
        name="a filter of what a lookup says",
        source="Search Reference, lookup",
        spl="",
        rows=rows,
        lookups={"t": settings},
        expect=[],
    )


SEEDS = 12


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_filters_of_outputs(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    case = draw(chance)
    before = chance.choice(("stats count by k g", "stats count by k", "table k g"))
    output = chance.choice(("OUTPUT v", "OUTPUTNEW v", "OUTPUTNEW v w"))
    wrong = []
    # Spark takes long for a search: each condition is asked of one of the lookups there.
    some = CONDITIONS if engine.name == "duckdb" else CONDITIONS[seed::SEEDS]
    for number, condition in enumerate(some):
        spl = f"* | {before} | lookup t k {output} | {condition}"
        plain, described = tmp_path / f"plain{number}", tmp_path / f"described{number}"
        plain.mkdir()
        described.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(described_lookups, "MOST_KEYS", 0)
            rows = find_rows(replace(case, spl=spl), engine, plain)
        found = problem(replace(case, spl=spl, expect=rows), engine, described)
        wrong += [f"{spl}: {found}"] if found is not None else []
    assert wrong == []


JOINS = (
    "join k g [S]",
    "join k [S]",
    "join max=0 k [S]",
    "join type=left k [S]",
    "join overwrite=f k g [S]",
    "join [S]",
    "join left=L right=R where L.k=R.k [S]",
    "eval k=lower(k) | join k [S]",
    "eval k=g | join k [S]",
    "streamstats count as n | join k [S]",
    "head 3 | join k g [S]",
    "join k [S] | join g [S]",
    'search g="1" | join k [S] | where w="x"',
)


@pytest.mark.parametrize("seed", range(4))
def test_joins(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    case = draw(chance)
    before = chance.choice(("stats count by k g", "stats count min(_time) as first by k g"))
    other = chance.choice(
        (
            "inputlookup t | eval g=w",
            "search g=1 | stats count as c by k g | eval w=c",
            "search g=9",
        )
    )
    wrong = []
    some = JOINS if engine.name == "duckdb" else JOINS[seed::4]
    for number, join in enumerate(some):
        spl = f"* | {before} | {join}".replace("[S]", f"[| {other}]")
        spl = spl.replace("[| search", "[search")
        plain, early = tmp_path / f"plain{number}", tmp_path / f"early{number}"
        plain.mkdir()
        early.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(Relation, "_find_early", lambda relation: ())
            rows = find_rows(replace(case, spl=spl), engine, plain)
        found = problem(replace(case, spl=spl, expect=rows), engine, early)
        wrong += [f"{spl}: {found}"] if found is not None else []
    assert wrong == []


def test_a_join_filters_what_is_grouped(tmp_path: Path) -> None:
    """The law holds as well where nothing is asked early: here it is."""
    catalog = RowsCatalog(tmp_path)
    catalog.events([{"k": "a", "g": "1"}])
    search = '* | stats count by k g | join k [| makeresults | eval k="a" | table k]'
    with connect(threads=1) as connection:
        engine = DuckDBEngine(catalog, connection)
        compiled = run_search(search, engine, catalog, PlainKnowledge(), now=0.0).compiled
    (grouped,) = (s for s in compiled.query.find_all(exp.Select) if s.args.get("group"))
    assert grouped.args["where"].find(exp.In) is not None
