"""A row that meets a condition has one of the condition's signs."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from escudo.spl import all_hold, any_holds, ask_in_turn, column, list_signs
from escudo.spl.relation.comparison import match_wildcards
from escudo.spl.relation.signs import MOST_SIGNS

CONNECTION = duckdb.connect()
NAMES = st.sampled_from(["a", "b"])
WORDS = st.sampled_from(["abcd", "bcda", "cdab", "ab", "d"])
PATTERNS = st.lists(WORDS | st.just("*"), min_size=1, max_size=4).map("".join)
ATOMS = st.builds(lambda n, p: match_wildcards(column(n), p, fold=False), NAMES, PATTERNS)


def case(asked: exp.Expression, then: exp.Expression) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=asked, true=then)], default=exp.false())


CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda p: exp.paren(all_hold(p)))
        | st.lists(inner, min_size=1, max_size=3).map(lambda p: exp.paren(any_holds(p)))
        | inner.map(lambda c: exp.not_(exp.paren(c)))
        | st.builds(case, inner, inner)
    ),
    max_leaves=8,
)
TEXTS = st.lists(WORDS, max_size=4).map("".join) | st.none()


@given(condition=CONDITIONS, a=TEXTS, b=TEXTS)
def test_a_row_that_meets_it_has_one(
    condition: exp.Expression, a: str | None, b: str | None
) -> None:
    signs = list_signs(condition)
    if signs is None:
        return
    asked = ", ".join(e.sql("duckdb") for e in (condition, any_holds(signs)))
    meets, has = CONNECTION.execute(
        f"SELECT {asked} FROM (SELECT $a AS a, $b AS b)", {"a": a, "b": b}
    ).fetchone() or (True, False)
    assert has or not meets


@given(condition=CONDITIONS, a=TEXTS, b=TEXTS)
def test_asked_in_turn_it_is_met_by_the_same(
    condition: exp.Expression, a: str | None, b: str | None
) -> None:
    asked = ", ".join(e.sql("duckdb") for e in (condition, ask_in_turn(condition)))
    meets, in_turn = CONNECTION.execute(
        f"SELECT {asked} FROM (SELECT $a AS a, $b AS b)", {"a": a, "b": b}
    ).fetchone() or (True, False)
    assert bool(meets) is bool(in_turn)


@pytest.mark.parametrize(
    ("condition", "signs"),
    [
        ("p = 'x.exe' AND contains(q, 'longer')", ["p = 'x.exe'"]),
        ("p = 'x.exe' AND contains(q, 'much longer')", ["CONTAINS(q, 'much longer')"]),
        ("p IN ('x', 'y') OR contains(q, 'abcd')", ["p IN ('x', 'y')", "CONTAINS(q, 'abcd')"]),
        ("q LIKE '%ab!%cde%fg%' ESCAPE '!'", None),
        ("q LIKE '%ab%cdefg%' ESCAPE '!'", ["CONTAINS(q, 'cdefg')"]),
        ("starts_with(q, 'abcd') AND NOT p", ["CONTAINS(q, 'abcd')"]),
        ("CASE WHEN r THEN ends_with(q, 'abcd') ELSE FALSE END", ["CONTAINS(q, 'abcd')"]),
        ("CASE WHEN r THEN ends_with(q, 'abcd') ELSE TRUE END", None),
        ("contains(q, 'abc')", None),
        ("contains(q, 'abcd') OR r > 1", None),
        ("NOT contains(q, 'abcd')", None),
    ],
)
def test_the_rarest_are_taken(condition: str, signs: list[str] | None) -> None:
    found = list_signs(parse_one(condition, read="duckdb"))
    assert found == signs or [s.sql("duckdb") for s in found or ()] == signs


def test_very_many_are_none() -> None:
    asked = [
        exp.Contains(this=column("a"), expression=exp.Literal.string(f"t{n:04}")) for n in range(99)
    ]
    assert list_signs(any_holds(asked)) is None
    assert len(list_signs(any_holds(asked[:MOST_SIGNS])) or ()) == MOST_SIGNS
