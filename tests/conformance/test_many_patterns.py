"""Lookups with wildcards: the same rows whether each pattern is tried or found by a part of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Engine
from escudo.spl.operators import row_matching
from tests.conformance.cases import Case, all_cases
from tests.conformance.catalog import RowsCatalog
from tests.conformance.conftest import Choose
from tests.conformance.engines import problem, problems_of
from tests.needs_spark import needs_spark

_SPARK = pytest.param("spark", marks=needs_spark)


@pytest.fixture(params=["duckdb", _SPARK])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    catalog = RowsCatalog(tmp_path)
    if request.param == "duckdb":
        with connect(threads=2) as connection:
            yield DuckDBEngine(catalog, connection)
    else:
        module = pytest.importorskip("escudo.engines.spark.spark_engine")
        yield module.SparkEngine(catalog)


@pytest.fixture(params=[0, 1_000_000], ids=["by a part", "each"])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_matching, "MANY_PATTERNS", request.param)


def test_the_cases_of_lookup(engine: Engine, many: None, tmp_path: Path, choose: Choose) -> None:
    assert problems_of(choose("commands/lookup", all_cases()), engine, tmp_path) == []


@pytest.mark.parametrize("fold", [False, True])
def test_random_patterns(engine: Engine, many: None, tmp_path: Path, fold: bool) -> None:
    """Short literals, long ones, several stars, none, nothing but stars; pieces that come twice;
    what SQL's LIKE takes for more than text."""
    chance = random.Random(7)

    def draw(letters: str, most: int) -> str:
        return "".join(chance.choice(letters) for _ in range(chance.randint(1, most)))

    values = sorted({draw("abB%_!é", 14) for _ in range(60)} | {"abababababab", "aaaaaaaa"})
    patterns = sorted({draw("abB%_!é*", 9) for _ in range(150)} | {"*", "*ababab*", "*aaaaaa*"})

    def is_met(value: str, pattern: str) -> bool:
        if fold:
            value, pattern = value.lower(), pattern.lower()
        return fnmatchcase(value, pattern)  # none of its other wildcards is among the letters

    case = Case(
        file="commands/lookup",
        name="random patterns",
        source="transforms.conf, match_type",
        spl="* | lookup p k OUTPUT n | table k n",
        rows=[{"k": value} for value in values],
        lookups={
            "p": {
                "match_types": {"k": "WILDCARD"},
                "case_sensitive": not fold,
                "rows": [{"k": p, "n": f"n{i}"} for i, p in enumerate(patterns)],
            }
        },
        expect=[
            {"k": value, "n": [f"n{i}" for i, p in enumerate(patterns) if is_met(value, p)]}
            for value in values
        ],
    )
    assert problem(case, engine, tmp_path) is None
