from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.content.reading import Section, read_document
from escudo.core.errors import Severity


def section(text: str) -> tuple[Section, list[str]]:
    node, problems = read_document("f.yml", text)
    assert node is not None
    made = Section(node, problems)

    class Live(list[str]):
        def __iter__(self):  # type: ignore[no-untyped-def]
            return iter([f"{d.code} {d.span.line}:{d.span.column}" for d in problems.found])

    return made, Live()


READS: list[tuple[str, Callable[[Section], object], object, list[str]]] = [
    ("a: x", lambda s: s.text("a"), "x", []),
    ("a: ''", lambda s: s.text("a"), "", ["CON103 1:4"]),
    ("a: ''", lambda s: s.text("a", "d"), "", []),
    ("a: null", lambda s: s.text("a", "d"), "d", []),
    ("b: 1", lambda s: s.text("a"), "", ["CON103 1:1"]),
    ("a: [x]", lambda s: s.text("a", ""), "", ["CON102 1:4"]),
    ("a: 2024-01-02", lambda s: str(s.day("a")), "2024-01-02", []),
    ("a: '02/01/2024'", lambda s: s.day("a"), None, ["CON102 1:4"]),
    ("a: 7", lambda s: s.integer("a", 1), 7, []),
    ("a: '7'", lambda s: s.integer("a", 1), 7, []),
    ("a: 7.0", lambda s: s.integer("a", 1), 7, []),
    ("a: 7.5", lambda s: s.integer("a", 1), 1, ["CON102 1:4"]),
    ("b: 7", lambda s: s.integer("a", 1), 1, []),
    ("a: 25.0", lambda s: s.score("a"), 25, []),
    ("a: 25.9", lambda s: s.score("a"), 25, []),
    ("a: 101", lambda s: s.score("a"), None, ["CON102 1:4"]),
    ("a: nan", lambda s: s.score("a"), None, ["CON102 1:4"]),
    ("a: high", lambda s: s.score("a"), None, ["CON102 1:4"]),
    ("a: 'False'", lambda s: s.boolean("a", True), False, []),
    ("a: on", lambda s: s.boolean("a", False), True, []),
    ("a: trues", lambda s: s.boolean("a", False), False, ["CON102 1:4"]),
    ("a: [x, null, ' y ', '']", lambda s: s.texts("a"), ("x", "y"), []),
    ("a: x", lambda s: s.texts("a"), ("x",), []),
    ("a:", lambda s: s.texts("a"), (), []),
    ("a: [[x]]", lambda s: s.texts("a"), (), ["CON102 1:5"]),
    ("a: ttp", lambda s: s.choice("a", ("TTP", "Hunting")), "TTP", []),
    ("a: hunt", lambda s: s.choice("a", ("TTP", "Hunting")), "TTP", ["CON104 1:4"]),
    ("a: {b: 1, c: x}", lambda s: s.mapping("a"), {"b": "1", "c": "x"}, []),
    ("a: x", lambda s: s.sections("a"), (), ["CON102 1:4"]),
    ("a: {b: 1}", lambda s: len(s.sections("a")), 1, []),
    ("a: 1\na: 2", lambda s: s.text("a"), "1", ["CON106 2:1"]),
]


@pytest.mark.parametrize(("text", "read", "value", "problems"), READS)
def test_values_and_their_problems(
    text: str, read: Callable[[Section], object], value: object, problems: list[str]
) -> None:
    made, found = section(text)
    assert read(made) == value
    assert list(found) == problems


def test_unknown_keys_are_reported_and_a_near_one_is_suggested() -> None:
    node, problems = read_document("f.yml", "serach: x\nzzz: 1\n")
    assert node is not None
    made = Section(node, problems)
    made.text("search", "")
    made.finish()
    assert [(d.code, d.severity, d.hint) for d in problems.found] == [
        ("CON105", Severity.WARNING, "did you mean 'search'?"),
        ("CON105", Severity.INFO, None),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1", "2:1"),
        ("a: b: c", "1:5"),
        ("a: 'x", "1:6"),
        ("\ta: 1", "1:1"),
        ("a: *nothing", "1:4"),
        ("a: \x07", "1:1"),
    ],
)
def test_bad_yaml_has_a_code_and_a_place(text: str, place: str) -> None:
    node, problems = read_document("f.yml", text)
    assert node is None
    (found,) = problems.found
    assert found.code == "CON101"
    assert f"{found.span.line}:{found.span.column}" == place  # type: ignore[union-attr]


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    node, problems = read_document("f.yml", text)
    assert node is None or not problems.found
    if node is None and problems.found:
        assert problems.found[0].code == "CON101"
