from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.content.positions import align_scalar, relocate
from escudo.core.errors import Diagnostic, Span

FILES = [
    ("search: a | stats count", "stats", "1:13"),
    ("search: 'a | eval x=\"it''s\" | stats'", "stats", "1:31"),
    ('search: "a \\"q\\" \\\\ \\\n  | stats"', "stats", "2:5"),
    ("search: >-\n  a\n  | stats count\n  | head", "head", "4:5"),
    ("search: |\n  a\n  | stats count\n\n  | head\n", "head", "5:5"),
    ("search: '| a b\n  c | stats\n\n  d'", "stats", "2:7"),
    ("search: '| a b\n  c | stats\n\n  d'", "d", "4:3"),
    ("name: x\nsearch: '\r\n  a | stats'\r\n", "stats", "3:7"),
    ('search: "a\\x20| \\u0073tats"', "stats", "1:17"),
]


@pytest.mark.parametrize(("text", "word", "place"), FILES)
def test_a_word_of_the_search_is_found_in_the_file(
    text: str, word: str, place: str, tmp_path: Path
) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes(text.encode())
    search = yaml.safe_load(text)["search"].strip()
    offset = search.index(word)
    line = search.count("\n", 0, offset) + 1
    column = offset - (search.rfind("\n", 0, offset) + 1) + 1
    span = Span(str(file), line, column, line, column + len(word))
    found = relocate(Diagnostic("X", "m", span=span), search)
    assert found.span is not None
    assert f"{found.span.line}:{found.span.column}" == place
    assert found.source == text.replace("\r\n", "\n")


def test_a_search_that_is_not_in_the_file_stays_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_text("search: a")
    given_one = Diagnostic("X", "m", span=Span(str(file), 1, 1, 1, 2))
    assert relocate(given_one, "b") is given_one
    gone = Diagnostic("X", "m", span=Span(str(tmp_path / "gone.yml"), 1, 1, 1, 2))
    assert relocate(gone, "b") is gone


@settings(max_examples=200)
@given(
    st.text(st.sampled_from("ab |'\"\\\n\t$[]:#é"), min_size=1),
    st.sampled_from(["'", '"', "|", ">", None]),
    st.integers(20, 60),
)
def test_every_character_is_where_it_is_said_to_be(
    value: str, style: str | None, width: int
) -> None:
    source = yaml.dump({"search": value}, default_style=style, width=width, allow_unicode=True)
    node = yaml.compose(source, Loader=yaml.CSafeLoader)
    scalar = next(v for k, v in node.value if k.value == "search")
    assert scalar.value == value
    for character, place in zip(value, align_scalar(source, scalar), strict=True):
        if character.isalpha() and source[place] != "\\":
            assert source[place] == character


def test_places_in_a_conf_file(tmp_path: Path) -> None:
    file = tmp_path / "savedsearches.conf"
    text = "index=a \n| where b==1\n| c"
    lines = [
        "[other]",
        "search = index=a",
        "[one]",
        " search =  index=a \\",
        "| where b==1\\",
        "| c",
    ]
    file.write_text("\n".join(lines) + "\n")
    for line, column, expected in ((1, 7, "4:18"), (2, 9, "5:9"), (3, 3, "6:3")):
        span = Span(str(file), line, column, line, column + 1)
        found = relocate(Diagnostic("SPL100", "x", span=span), text)
        assert str(found.span).removeprefix(str(file)) == f":{expected}"
