"""Macros put into the text of a search, and the places of what they became."""

from __future__ import annotations

import pytest

from escudo.spl.macros import expand
from escudo.spl.parse import parse
from tests.spl.knowledge import Book

MACROS = (
    Book()
    .define("raw", "sourcetype=x")
    .define("twice", "`raw` `raw`")
    .define("pick", 'search $field$=$value$ "$field$"', ["field", "value"])
    .define("nested", "`pick($x$, 1)`", ["x"])
    .define("short", 'substr("$x$", 1, 3) . round(2.5) . lower("Z")', ["x"], is_eval=True)
    .define("by_size", 'if($n$ > 5, "big=" . $n$, "small=$n$")', ["n"], is_eval=True)
)
EXPANSIONS = [
    ("`raw` a", "sourcetype=x a"),
    ("`twice`", "sourcetype=x sourcetype=x"),
    ("| `pick(user, bob)`", '| search user=bob "user"'),
    ('| `pick("a, b", "c\\"d")`', '| search a, b=c"d "a, b"'),
    ("| `nested(host)`", '| search host=1 "host"'),
    ("`by_size(7)` `by_size(3)`", "big=7 small=3"),
    ("`short(abcdef)`", "abc2z"),
    ("a ```why | not``` | head", "a   | head"),
    ('"`raw`" `raw`', '"`raw`" sourcetype=x'),
    ("| `pick($token$, 1)`", '| search $token$=1 "$token$"'),
]


@pytest.mark.parametrize(("text", "expanded"), EXPANSIONS, ids=[text for text, _ in EXPANSIONS])
def test_expansion(text: str, expanded: str) -> None:
    assert expand(text, MACROS).text == expanded


def test_places_are_those_of_the_text_as_written() -> None:
    text = "`raw`\n  user=bob ```note```\n| stats count BY host"
    tree = parse(expand(text, MACROS, file="x.spl"), file="x.spl")
    search, stats = tree.commands
    assert [str(n.span) for n in search.expr.operands] == ["x.spl:1:1", "x.spl:2:3"]  # type: ignore[attr-defined]
    assert str(stats.span) == "x.spl:3:3"
    assert str(stats.aggregates[0].span) == "x.spl:3:9"  # type: ignore[attr-defined]
