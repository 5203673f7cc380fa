"""What would take all memory or all stack is an error with a code; long lists are fast."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Result, run_search
from escudo.spl.binding import subsearch
from escudo.spl.parse import parse
from escudo.spl.syntax.pretty_print import format_text
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog

MANY = 100_000
SECONDS = 60.0
"""A list of 100,000 values takes two to eight; a machine may be busy. Before it was a minute."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    folder: Path = tmp_path_factory.mktemp("bounds")
    catalog = RowsCatalog(folder)
    catalog.events([{"a": "v99999", "n": "99999"}, {"a": "other", "n": "-1"}, {"m": ["v5", "x"]}])
    with connect(threads=1) as connection:
        yield DuckDBEngine(catalog, connection)


def run(text: str, engine: DuckDBEngine) -> Result:
    return run_search(text, engine, engine.catalog, PlainKnowledge(), now=NOW)


_DEEP = 5000
_NESTED = {
    "parentheses": f"| makeresults | eval r={'(' * _DEEP}1{')' * _DEEP}",
    "functions": f"| makeresults | eval r={'abs(' * _DEEP}1{')' * _DEEP}",
    "not": f"| makeresults | where {'NOT ' * _DEEP}(1=1)",
    "signs": f"| makeresults | eval r={'-' * _DEEP}1",
    "search": f"search {'(' * _DEEP}a=1{')' * _DEEP}",
    "search not": f"search {'NOT ' * _DEEP}a=1",
    "subsearches": f"search {'[search ' * 500}a=1{']' * 500}",
    "appends": "| makeresults" + " | append [| makeresults" * 500 + "]" * 500,
    "sums": "| makeresults | eval r=" + "+".join(["1"] * 20_000),
}


@pytest.mark.parametrize("text", _NESTED.values(), ids=_NESTED.keys())
def test_nesting(text: str, engine: DuckDBEngine) -> None:
    with pytest.raises(EscudoError) as raised:
        run(text, engine)
    assert raised.value.code == "SPL115"


@pytest.mark.slow
@pytest.mark.parametrize("text", _NESTED.values(), ids=_NESTED.keys())
def test_nesting_is_no_crash_elsewhere(text: str, engine: DuckDBEngine) -> None:
    for read in (parse, format_text):
        with suppress(EscudoError):
            read(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("| makeresults count=99999999999999999 | stats count", "SPL326"),
        ("| gentimes start=1/1/1900 end=1/1/2020 increment=1s", "SPL326"),
        ("| gentimes start=1/1/2020 end=1/2/2020 increment=0s", "SPL104"),
        ("| makeresults | eval r=mvcount(mvrange(0, 100000000))", "SPL326"),
        ("| makeresults | eval r=mvcount(mvrange(0, 1e300))", "SPL326"),
        ("| makeresults | eval r=mvcount(mvrange(5, -1e9, -1))", "SPL326"),
    ],
)
def test_more_than_a_limit(text: str, code: str, engine: DuckDBEngine) -> None:
    with pytest.raises(EscudoError) as raised:
        run(text, engine)
    assert raised.value.code == code


_LISTS = {
    "IN of a search": "search index=main a IN ({texts})",
    "IN of numbers": "search index=main n IN ({numbers})",
    "OR of a search": "search index=main {ors}",
    "NOT IN": "search index=main NOT a IN ({texts})",
    "IN of eval": "search index=main | where a IN ({texts})",
    "IN of eval, numbers": "search index=main | where n IN ({numbers})",
    "OR of eval": "search index=main | where {ors}",
    "computed": "search index=main | eval z=n+0 | search z IN ({numbers})",
}


@pytest.mark.slow
@pytest.mark.parametrize("form", _LISTS.values(), ids=_LISTS.keys())
def test_long_lists_are_fast(form: str, engine: DuckDBEngine) -> None:
    text = form.format(
        texts=",".join(f'"v{i}"' for i in range(MANY)),
        numbers=",".join(map(str, range(MANY))),
        ors=" OR ".join(f'a="v{i}"' for i in range(MANY)),
    )
    begin = time.monotonic()
    found = run(f"{text} | fields a", engine).table
    assert time.monotonic() - begin < SECONDS
    expected = ["other", None] if "NOT" in form else ["v99999"]
    assert found["a"].to_pylist() == expected


def test_a_long_list_over_several_values(engine: DuckDBEngine) -> None:
    listed = ",".join(f'"v{i}"' for i in range(300))
    assert run(f"search index=main m IN ({listed})", engine).table.num_rows == 1
    assert run(f"search index=main | where m IN ({listed})", engine).table.num_rows == 1


def test_long_lists_compare_as_short_ones(engine: DuckDBEngine) -> None:
    listed = ",".join([f'"w{i}"' for i in range(300)] + ['"V99999"', "-1.0"])
    assert run(f"search index=main a IN ({listed})", engine).table.num_rows == 1
    assert run(f"search index=main | where a IN ({listed})", engine).table.num_rows == 0
    assert run(f"search index=main | where n IN ({listed})", engine).table.num_rows == 1
    assert run(f"search index=main | where NOT n IN ({listed})", engine).table.num_rows == 1


@pytest.mark.slow
def test_rows_of_a_subsearch_beyond_the_default(
    engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("escudo.spl.binding.binder.MAX_ROWS", 2 * MANY)
    rows = f"| makeresults count={MANY} | streamstats count AS n | fields n"
    assert run(f"search index=main [{rows}]", engine).table.num_rows == 1
    assert subsearch.MAX_ROWS == 10_000


def test_map_says_what_it_leaves_out(engine: DuckDBEngine) -> None:
    found = run('| makeresults count=12 | map search="| makeresults"', engine)
    assert found.table.num_rows == 10
    assert [d.code for d in found.diagnostics] == ["SPL320"]


@pytest.mark.slow
@pytest.mark.parametrize("shown", ["", " | stats count"])
def test_rows_of_10_000_fields(shown: str, engine: DuckDBEngine) -> None:
    fields = ",".join(f"f{i}={i}" for i in range(10_000))
    assert run(f"| makeresults | eval {fields}{shown}", engine).table.num_rows == 1


@pytest.mark.slow
def test_calls_inside_calls_do_not_double(engine: DuckDBEngine) -> None:
    begin = time.monotonic()
    nested = "min(max(min(max(min(a, n, 3), 2), 5), 1), n)"
    found = run(f"search index=main n=99999 | eval r={nested} | fields r", engine).table
    assert found["r"].to_pylist() == ["3"]
    assert time.monotonic() - begin < SECONDS
