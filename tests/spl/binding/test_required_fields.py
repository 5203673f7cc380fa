"""Which fields the rest of a pipeline may ask for."""

from __future__ import annotations

import pytest

from escudo.spl.binding.required_fields import required_fields
from escudo.spl.parse import parse


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("| stats count by a", ["a", "_time"], ["b"]),
        ("| eval z=a.b | table z", ["a", "b", "z"], ["c"]),
        ('| where match(a, "x") | search b=1 | stats values(c) as c by d', list("abcd"), ["x"]),
        ("| rename P.* as * | table x", ["P.x", "x"], []),
        ("| table a*", ["a1", "a2"], ["b"]),
        ("| fields a b | head 3", ["a", "b"], ["c"]),
        ("| eval z=a*b | table z", ["a", "b"], ["c"]),
        ("| tags outputfield=t | table t", ["tag::host"], ["host"]),
        ("| search _index_earliest=-1d | table a", ["_indextime"], ["b"]),
    ],
)
def test_named_fields(text: str, wanted: list[str], unwanted: list[str]) -> None:
    needs = required_fields(parse(f"| makeresults {text}").commands[1:])
    assert needs is not None
    assert [n for n in wanted if n not in needs] == []
    assert [n for n in unwanted if n in needs] == []


@pytest.mark.parametrize(
    "text",
    [
        "| head 3",
        "| fields - a",
        "| join a [search *] | stats count",
        "| search [search * | table a] | stats count",
        "| eval {a}=1 | table b",
        '| eval "{a}.x{}"=1 | table b',
        "| eval b=[search * | return $a] | table b",
        "| tags outputfield=t inclvalue=t | table t",
        '| where searchmatch("a=1") | table b',
        "| foreach * [eval x=1] | table b",
        "",
    ],
)
def test_any_field(text: str) -> None:
    assert required_fields(parse(f"| makeresults {text}").commands[1:]) is None
