"""Filters of what a lookup says, asked before rows are grouped: the same rows as asked after."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from escudo.engines.execute import Engine
from escudo.spl.operators import described_lookups
from tests.conformance.cases import Case
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
