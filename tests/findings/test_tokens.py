from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo import content
from escudo.findings.tokens import (
    fill_messages,
    fill_search,
    list_members,
    list_message_fields,
    parse_text_template,
)
from escudo.spl.macros import expand
from escudo.spl.parse import parse
from tests.shared_data import SHARED

MESSAGES: list[tuple[str, dict[str, Any], str]] = [
    ("on $dest$ by $user$", {"dest": "h", "user": "u"}, "on h by u"),
    ("on $dest$", {"dest": None}, "on unknown"),
    ("on $dest$", {"dest": ""}, "on unknown"),
    ("on $dest$", {"other": "x"}, "on unknown"),
    ("$n$ and $f$", {"n": 3, "f": 2.0}, "3 and 2"),
    ("users $user$", {"user": ["a", "b"]}, "users a, b"),
    ("users $user$", {"user": []}, "users unknown"),
    ("at $result.dest$", {"dest": "h"}, "at h"),
    ("$destination{}.address$", {"destination{}.address": "1.2.3.4"}, "1.2.3.4"),
    ("$a.b-c$", {"a.b-c": "x"}, "x"),
    ("by user user$ on $dest$", {"user": "u", "dest": "h"}, "by user u on h"),
    ("start on $dest", {"dest": "h"}, "start on h"),
    ("costs $5 or 5$", {"dest": "h"}, "costs $5 or 5$"),
    ("share ADMIN$ of $dest$", {"dest": "h"}, "share ADMIN$ of h"),
    ("$user$", {"user": "$dest$", "dest": "h"}, "$dest$"),
    ("", {"dest": "h"}, ""),
    ("no token", {"dest": "h"}, "no token"),
]


@pytest.mark.parametrize(("template", "row", "expected"), MESSAGES)
def test_messages(template: str, row: Mapping[str, Any], expected: str) -> None:
    rows = pa.table({name: [value] for name, value in row.items()})
    if "user" in rows.column_names and row["user"] == []:
        rows = pa.table({"user": pa.array([[]], pa.list_(pa.string()))})
    assert fill_messages(template, rows).to_pylist() == [expected]


@pytest.mark.slow
def test_no_token_is_left_in_any_message_of_the_real_content() -> None:
    if SHARED is None:
        pytest.skip("real content is not here")
    for detection in content.load([SHARED / "security_content"]).detections:
        if detection.risk is None:
            continue
        names = list_message_fields(detection.risk.message)
        rows = pa.table({name: ["value"] for name in names} or {"x": ["value"]})
        (text,) = fill_messages(detection.risk.message, rows).to_pylist()
        assert "$" not in text, detection.name


SEARCHES: list[tuple[str, dict[str, Sequence[str]], str]] = [
    ('search dest = "$dest$"', {"dest": ["h"]}, 'search dest = "h"'),
    ("search dest=$dest$", {"dest": ["h"]}, 'search dest="h"'),
    ("search dest=$dest$", {"dest": ["a b|c"]}, 'search dest="a b|c"'),
    ("search dest=$dest$", {"dest": []}, 'search dest=""'),
    ("search dest=$dest|s$", {"dest": ['a "b"']}, 'search dest="a \\"b\\""'),
    ('search dest="x $dest|n$"', {"dest": ["h"]}, 'search dest="x h"'),
    ('search dest="$dest$"', {"dest": ['x" OR 1=1 "']}, 'search dest="x\\" OR 1=1 \\""'),
    ('search u="$u$"', {"u": ["DOM\\al"]}, 'search u="DOM\\\\al"'),
    ('search u="a $u$ b"', {"u": ["x", "y"]}, 'search u="a x b"'),
    ("search u IN ($u$)", {"u": ["x", "y"]}, 'search u IN ("x", "y")'),
    (
        'search u IN ("$u$", "$d$")',
        {"u": ["x", "y"], "d": ["z"]},
        'search u IN ("x", "y", "z")',
    ),
    ("(u IN ($u$)) d=$u$", {"u": ["x", "y"]}, '(u IN ("x", "y")) d="x"'),
    ("search u=$u$", {"u": ["$dest$"], "dest": ["h"]}, 'search u="$dest$"'),
    ("search u=$u$ v=$u$", {"u": ["HOST$"]}, 'search u="HOST$" v="HOST$"'),
    ("%original_detection_search% | search d=$d$", {"d": ["h"]}, 'a="$x$" | search d="h"'),
    ('%original_detection_search% d="$d$"', {"d": ["%original_detection_search%"]}, ""),
]


@pytest.mark.parametrize(("template", "row", "expected"), SEARCHES)
def test_searches(template: str, row: Mapping[str, Sequence[str]], expected: str) -> None:
    original = 'a="$x$"'
    expected = expected or f'{original} d="%original_detection_search%"'
    assert fill_search(template, row.__getitem__, original) == expected


def test_a_text_that_is_shown_has_the_values_as_they_are() -> None:
    assert parse_text_template('of "$d$"').fill({"d": ['a"b', "c"]}.__getitem__) == 'of "a"b, c"'


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ()), ("a", ("a",)), (["a", None, "b"], ("a", "b")), (3.0, ("3",)), (True, ("true",))],
)
def test_values_of_a_row(value: object, expected: tuple[str, ...]) -> None:
    assert list_members(value) == expected


# --- no value can change a search ---------------------------------------------------------------

TEMPLATES = (
    'search dest = "$a$" user = "$b$"',
    "search dest = $a$ user = $b$ | stats count by dest",
    '| from datamodel Risk.All_Risk | search normalized_risk_object IN ("$a$", "$b$")'
    " starthoursago=168 | stats count by normalized_risk_object",
    "| from datamodel Risk.All_Risk | search normalized_risk_object IN ($a$, $b$) earliest=-7d",
    'index=x [search index=y dest="$a$" | fields dest] NOT user=$b$',
    "index=x (dest=$a$ OR src=$a$) user=$b$ | eval n=1 | where n>0",
)

_NASTY = st.text(
    st.sampled_from("ab \\\"'|[]()`$%,=*<>!\n\t#{}") | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=30,
)


class NoKnowledge:
    """Any macro that a value smuggled in would be unknown."""

    def macro(self, name: str, arity: int) -> None:
        return None

    def macros(self) -> Sequence[tuple[str, int]]:
        return ()


def tree(text: str) -> Any:
    return parse(expand(text, NoKnowledge()))  # type: ignore[arg-type]


def substituted(node: Any, values: Mapping[str, str]) -> Any:
    """A tree with other texts in its values."""
    if is_dataclass(node) and not isinstance(node, type):
        changes = {f.name: substituted(getattr(node, f.name), values) for f in fields(node)}
        return replace(node, **{k: v for k, v in changes.items() if v is not getattr(node, k)})
    if isinstance(node, tuple):
        return tuple(substituted(member, values) for member in node)
    return values.get(node, node) if isinstance(node, str) else node


@pytest.mark.parametrize("template", TEMPLATES)
@given(a=_NASTY, b=_NASTY)
def test_no_value_can_change_a_search(template: str, a: str, b: str) -> None:
    plain = fill_search(template, {"a": ["xAx"], "b": ["xBx"]}.__getitem__, "")
    filled = fill_search(template, {"a": [a], "b": [b]}.__getitem__, "")
    assert tree(filled) == substituted(tree(plain), {"xAx": a, "xBx": b})


@pytest.mark.slow
def test_no_value_can_change_a_drilldown_of_the_real_content() -> None:
    if SHARED is None:
        pytest.skip("real content is not here")
    loaded = content.load([SHARED / "security_content"])
    templates = {d.search for x in loaded.detections for d in x.drilldowns}
    value = 'x" OR * | delete ` [ "\\'
    for template in templates:
        plain = fill_search(template, lambda _: ["xAx"], "index=y")
        filled = fill_search(template, lambda _: [value], "index=y")
        assert tree_with(loaded, filled) == substituted(tree_with(loaded, plain), {"xAx": value})


def tree_with(loaded: content.Content, text: str) -> Any:
    return parse(expand(text, loaded.knowledge))
