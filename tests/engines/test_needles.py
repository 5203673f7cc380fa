"""A text that is asked for many others: one regular expression says what they said."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from escudo.engines.duckdb.needles import FEWEST, MOST, gather_needles, seek_any
from escudo.spl import any_holds, column

TEXTS = st.text(st.sampled_from("aB.\\|()*+?[]{}^$-_ \n/&~#é\U0001f600%'\""), max_size=6)


KINDS = st.sampled_from([exp.Contains, exp.StartsWith, exp.EndsWith])


def ask(kind: type[exp.Expression], name: str, part: str) -> exp.Expression:
    return kind(this=column(name), expression=exp.Literal.string(part))


def contains(name: str, part: str) -> exp.Expression:
    return ask(exp.Contains, name, part)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@given(
    texts=st.lists(TEXTS | st.none(), min_size=1, max_size=6),
    needles=st.lists(st.tuples(KINDS, TEXTS), min_size=FEWEST, max_size=9),
    others=st.lists(TEXTS, max_size=2),
)
def test_it_is_the_same_condition(
    texts: list[str | None],
    needles: list[tuple[type[exp.Expression], str]],
    others: list[str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    first = [ask(kind, "a", n) for kind, n in needles] + [contains("b", n) for n in others]
    condition = exp.and_(any_holds(first), exp.not_(contains("b", "B")))
    gathered = gather_needles(condition.copy())
    assert gathered.find(exp.RegexpLike) is not None
    asked = ", ".join(e.sql("duckdb") for e in (condition, gathered))
    cursor = connection.cursor()
    for text in texts:
        said, says = cursor.execute(
            f"SELECT {asked} FROM (SELECT $t AS a, 'xB' AS b)", {"t": text}
        ).fetchone() or (None, True)
        assert said == says


def test_few_are_left_as_they_are() -> None:
    asked = any_holds(contains("a", str(n)) for n in range(FEWEST - 1))
    assert gather_needles(asked.copy()) == asked


def test_parts_prefixes_and_suffixes_are_asked_together() -> None:
    asked = "contains(a, 'x') OR starts_with(a, 'y.') OR ends_with(a, 'z') OR contains(a, 'v') OR b"
    written = gather_needles(parse_one(asked, read="duckdb")).sql("duckdb")
    assert written == "REGEXP_MATCHES(a, 'x|\\Ay\\.|z\\z|v') OR b"


def test_very_many_are_asked_in_parts() -> None:
    asked = any_holds(contains("a", str(n)) for n in range(2 * MOST + 1))
    parts = list(gather_needles(asked).find_all(exp.RegexpLike))
    assert sorted(len(part.expression.name.split("|")) for part in parts) == [1, MOST, MOST]


def test_what_is_behind_brackets_stays_there() -> None:
    asked = " OR ".join(f"CONTAINS(a, 'x{n}')" for n in range(4))
    both = parse_one(f"p AND ({asked} OR (q AND r))", read="duckdb")
    written = gather_needles(both).sql("duckdb")
    assert written == "p AND (REGEXP_MATCHES(a, 'x0|x1|x2|x3') OR (q AND r))"


FOLDED = st.text(st.sampled_from("aAbBkKiI.|\\é\N{KELVIN SIGN}İıſẞ"), max_size=6)
ASCII = st.text(st.sampled_from("aAbBkKiI.|\\"), min_size=1, max_size=3)


@given(
    text=FOLDED | st.none(),
    needles=st.lists(ASCII, min_size=1, max_size=4),
    wholes=st.lists(ASCII, max_size=2),
)
def test_a_text_with_a_needle_in_any_case_is_sought(
    text: str | None,
    needles: list[str],
    wholes: list[str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    lower = exp.Lower(this=column("a"))
    has = any_holds(
        kind(this=lower.copy(), expression=exp.Literal.string(value.lower()))
        for kind, values in ((exp.Contains, needles), (exp.EQ, wholes))
        for value in values
    )
    asked = ", ".join(e.sql("duckdb") for e in (has, seek_any(column("a"), needles, wholes)))
    said, says = (
        connection.cursor()
        .execute(f"SELECT {asked} FROM (SELECT $t::VARCHAR AS a)", {"t": text})
        .fetchone()
    ) or (True, False)
    if text is not None and {"İ", "\N{KELVIN SIGN}"}.isdisjoint(text):
        assert says == said
    else:
        assert says or not said


def test_very_many_are_sought_in_parts() -> None:
    parts = list(seek_any(column("a"), [str(n) for n in range(MOST + 1)]).find_all(exp.RegexpLike))
    assert len(parts) == 2
