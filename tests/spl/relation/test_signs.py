"""A row that meets a condition has one of the condition's signs."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from escudo.spl import all_hold, any_holds, ask_in_turn, column, list_signs
from escudo.spl.relation.comparison import match_wildcards
from escudo.spl.relation.signs import MOST_CHOICES, MOST_SIGNS

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
def test_a_row_that_meets_it_has_one_of_each_choice(
    condition: exp.Expression, a: str | None, b: str | None
) -> None:
    choices = [any_holds(choice) for choice in list_signs(condition)]
    asked = ", ".join(e.sql("duckdb") for e in (condition, *choices))
    meets, *has = CONNECTION.execute(
        f"SELECT {asked} FROM (SELECT $a AS a, $b AS b)", {"a": a, "b": b}
    ).fetchone() or (True, False)
    assert all(has) or not meets


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
    ("condition", "choices"),
    [
        ("p = 'x.exe' AND contains(q, 'longer')", [["p = 'x.exe'"], ["CONTAINS(q, 'longer')"]]),
        (
            "p = 'x.exe' AND contains(q, 'much longer')",
            [["CONTAINS(q, 'much longer')"], ["p = 'x.exe'"]],
        ),
        (
            "p IN ('x', 'y') OR contains(q, 'abcd')",
            [["p = 'x'", "p = 'y'", "CONTAINS(q, 'abcd')"]],
        ),
        (
            "(contains(q, 'a longer one') AND contains(q, 'short')) OR contains(q, 'abcd')",
            [["CONTAINS(q, 'a longer one')", "CONTAINS(q, 'abcd')"]],
        ),
        ("q LIKE '%ab!%cd%fg%' ESCAPE '!'", []),
        ("q LIKE '%ab!%cde%fg%' ESCAPE '!'", [["CONTAINS(q, 'cde')"]]),
        ("q LIKE '%ab%cdefg%' ESCAPE '!'", [["CONTAINS(q, 'cdefg')"]]),
        ("starts_with(q, 'abcd') AND NOT p", [["CONTAINS(q, 'abcd')"]]),
        ("CASE WHEN r THEN ends_with(q, 'abcd') ELSE FALSE END", [["CONTAINS(q, 'abcd')"]]),
        ("CASE WHEN r THEN ends_with(q, 'abcd') ELSE TRUE END", []),
        ("contains(q, 'ab')", []),
        ("spl_count(spl_split(q, '/..')) - 1 > 1", [["CONTAINS(q, '/..')"]]),
        (
            "CAST(spl_count(spl_split(coalesce(q, 'null'), '/..')) AS DOUBLE) > 1e0",
            [["CONTAINS(q, '/..')"]],
        ),
        (
            "spl_count(spl_split(coalesce(q, 'a/..'), '/..')) > 1",
            [["CONTAINS(COALESCE(q, 'a/..'), '/..')"]],
        ),
        ("spl_count(spl_split(q, '/..')) > 0", []),
        ("spl_count(spl_split(q, '/..')) < 3", []),
        ("spl_count(q) > 1", []),
        ("contains(coalesce(q, 'x'), 'abcd')", [["CONTAINS(q, 'abcd')"]]),
        ("contains(q, 'abcd') OR r > 1", []),
        ("NOT contains(q, 'abcd')", []),
    ],
)
def test_those_that_are_rare_by_guess_come_first(condition: str, choices: list[list[str]]) -> None:
    found = list_signs(parse_one(condition, read="duckdb"))
    assert [[sign.sql("duckdb") for sign in choice] for choice in found] == choices


def test_very_many_are_no_choice() -> None:
    asked = [
        exp.Contains(this=column("a"), expression=exp.Literal.string(f"t{n:04}")) for n in range(99)
    ]
    assert list_signs(any_holds(asked)) == ()
    (choice,) = list_signs(any_holds(asked[:MOST_SIGNS]))
    assert len(choice) == MOST_SIGNS
    assert len(list_signs(all_hold(asked))) == MOST_CHOICES
