"""The walk over syntax trees."""

from __future__ import annotations

import pytest

from escudo.spl.parse import parse
from escudo.spl.syntax.ast import FieldRef, Pipeline, Value, fields_in
from escudo.spl.syntax.parse_eval import parse_eval

TEXT = (
    "index=a [search b=2 | table c] | eval x=if(d>1, e, [search f=3 | return $g]) | rename h AS i"
)


def test_all_nodes_of_a_search_are_visited_once() -> None:
    nodes = list(parse(TEXT).walk())
    assert len({id(n) for n in nodes}) == len(nodes)
    assert [n.name for n in nodes if isinstance(n, FieldRef)] == ["d", "e"]
    assert [n.text for n in nodes if isinstance(n, Value)] == ["a", "2", "3"]
    assert len([n for n in nodes if isinstance(n, Pipeline)]) == 3


def test_subsearches_are_given_and_not_gone_into() -> None:
    nodes = list(parse(TEXT).walk(into_subsearches=False))
    assert [n.text for n in nodes if isinstance(n, Value)] == ["a"]
    assert len([n for n in nodes if isinstance(n, Pipeline)]) == 3


def test_parts_are_what_the_fields_hold() -> None:
    rename = parse(TEXT).commands[2]
    assert list(rename.parts()) == ["h", "i"]
    assert list(rename.children()) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [("a + b * a", ["a", "b", "a"]), ("if('x y'=1, -c, \"d\")", ["x y", "c"]), ("now()", [])],
)
def test_fields_of_an_expression(text: str, names: list[str]) -> None:
    assert list(fields_in(parse_eval(text))) == names
