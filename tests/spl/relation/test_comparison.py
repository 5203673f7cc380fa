"""Comparisons and wildcards as SQL: against plain Python, and the form of the SQL."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.engines.duckdb import connect
from escudo.spl.relation.comparison import any_value, compare_values, match_like, match_wildcards
from escudo.spl.relation.sql import literal_text
from escudo.spl.relation.values import (
    Typed,
    null_value,
    number_value,
    text_value,
)

TEXT = st.text(alphabet="aAbB*%_!\\'\" 0", max_size=6)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return connect(threads=1)


def value(connection: duckdb.DuckDBPyConnection, sql: exp.Expression) -> object:
    row = connection.execute(exp.Select(expressions=[sql]).sql("duckdb")).fetchone()
    assert row is not None
    return row[0]


def reference_like(text: str, pattern: str, *, fold: bool) -> bool:
    parts = (re.escape(p) for p in pattern.split("*"))
    flags = re.DOTALL | (re.IGNORECASE if fold else 0)
    return re.fullmatch(".*".join(parts), text, flags) is not None


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(text=TEXT, pattern=TEXT, fold=st.booleans())
def test_wildcards_match_as_the_reference(
    connection: duckdb.DuckDBPyConnection, text: str, pattern: str, fold: bool
) -> None:
    column = literal_text(text.lower() if fold else text)
    found = value(connection, match_wildcards(column, pattern, fold=fold))
    assert found is reference_like(text, pattern, fold=fold)


@settings(max_examples=300, deadline=None)
@given(text=TEXT, pattern=TEXT)
def test_eval_like_matches_as_the_reference(
    connection: duckdb.DuckDBPyConnection, text: str, pattern: str
) -> None:
    wanted = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    found = value(connection, match_like(literal_text(text), pattern))
    assert found is (re.fullmatch(wanted, text, re.DOTALL) is not None)


@pytest.mark.parametrize(
    ("pattern", "sql"),
    [
        ("cmd.exe", "p = 'cmd.exe'"),
        ("*", "NOT p IS NULL"),
        ("**", "NOT p IS NULL"),
        ("*cmd*", "CONTAINS(p, 'cmd')"),
        ("cmd*", "STARTS_WITH(p, 'cmd')"),
        ("*.exe", "ENDS_WITH(p, '.exe')"),
        ("a*b", "p LIKE 'a%b' ESCAPE '!'"),
        ("*a*b*", "p LIKE '%a%b%' ESCAPE '!'"),
        ("a*100%", "p LIKE 'a%100!%' ESCAPE '!'"),
        ("*c:\\x*", "CONTAINS(p, 'c:\\x')"),
        ("", "p = ''"),
    ],
)
def test_the_cheapest_form(pattern: str, sql: str) -> None:
    assert match_wildcards(exp.column("p"), pattern, fold=True).sql("duckdb") == sql


S = Typed(exp.column("s"), FieldType.STRING)
N = Typed(exp.column("n"), FieldType.NUMBER)
I = Typed(exp.column("i"), FieldType.INTEGER)  # noqa: E741
B = Typed(exp.column("b"), FieldType.BOOLEAN)
M = Typed(exp.column("m"), FieldType.MULTIVALUE)


@pytest.mark.parametrize(
    ("left", "right", "sql"),
    [
        (S, text_value("x"), "s = 'x'"),
        (S, text_value("5"), "COALESCE(SPL_NUM(s) = 5e0, s = '5')"),
        (S, number_value(5), "COALESCE(SPL_NUM(s) = 5e0, s = '5')"),
        (N, number_value(5), "n = 5e0"),
        (N, text_value("x"), "SPL_TEXT(n) = 'x'"),
        (I, N, "i = n"),
        (S, null_value(), "CAST(NULL AS BOOLEAN)"),
        (B, B, "b = b"),
    ],
)
def test_comparisons(left: Typed, right: Typed, sql: str) -> None:
    assert compare_values("=", left, right).sql("duckdb") == sql


def test_nested_lambdas_have_their_own_parameters() -> None:
    both = any_value(
        M.sql, lambda a: any_value(M.sql, lambda b: exp.EQ(this=a.sql, expression=b.sql))
    )
    names = [n.expressions[0].name for n in both.find_all(exp.Lambda)]
    assert len(set(names)) == len(names) == 2
