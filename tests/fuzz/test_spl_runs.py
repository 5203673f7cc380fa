"""Searches at random are bound and run over a few rows: rows, or an error with a code, and no
separator of ours in a value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from escudo.core.errors import EscudoError
from escudo.core.schema import MV_SEPARATOR
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import run_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.fuzz import EXAMPLES
from tests.fuzz import spl_grammar as grammar

ROWS: list[dict[str, Any]] = [
    {"a": "x", "n": "1", "m": ["p", "q", "p"], "doc": '{"k": [1, {"l": "v"}]}', "host": "h1"},
    {"a": "", "n": "-2.5", "b": "", "x.y": "1,2", "doc": "<r><i n='1'>a</i><i>b</i></r>"},
    {"b": "é\U0001f600", "n": "zwölf", "m": ["3"], "é": "5", "_raw": 'a=1 b="two" <k>v</k>'},
    {"a": "10.1.2.3", "n": "1e300", "b": "a,b,,c", "doc": "[[[", "_time": 0},
    {"n": "0", "a": "a" * 300, "b": "%d\n", "host": "h2", "_time": -5e9},
]
_UNMEANT = ("\x1e", "\x1f", "\x1d", MV_SEPARATOR)
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    catalog = RowsCatalog(folder)
    catalog.events(ROWS[:3])
    catalog.events(ROWS[3:], table="other", in_rest=True)
    catalog.model("M.D", [{"a": "x", "n": "1"}, {"a": "y"}])
    with connect(threads=1) as connection:
        yield DuckDBEngine(catalog, connection)


def run(text: str, engine: DuckDBEngine) -> None:
    """Run a search; fails on an exception without a code, an engine's own complaint, and a
    separator in a value."""
    try:
        rows = run_search(text, engine, engine.catalog, PlainKnowledge(), now=NOW).table.to_pylist()
    except EscudoError as error:
        if error.code == "ENG001":
            raise AssertionError(f"{text}: {error}") from error
        return
    for row in rows:
        for name, value in row.items():
            for each in (name, *(value if isinstance(value, list) else [value])):
                if isinstance(each, str):
                    assert not any(c in each for c in _UNMEANT), (name, value)


@pytest.mark.slow
@fuzz
@given(text=grammar.EVALS)
def test_expressions(engine: DuckDBEngine, text: str) -> None:
    run(text, engine)


@pytest.mark.slow
@fuzz
@given(text=grammar.STATS)
def test_statistics(engine: DuckDBEngine, text: str) -> None:
    run(text, engine)


@pytest.mark.slow
@fuzz
@given(text=grammar.SEARCHES)
def test_commands(engine: DuckDBEngine, text: str) -> None:
    run(text, engine)


@fuzz
@given(text=grammar.GENERATING)
def test_first_commands(engine: DuckDBEngine, text: str) -> None:
    run(text, engine)
