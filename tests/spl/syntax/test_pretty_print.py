"""The layout of SPL: cases, and that laying out again changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.core.errors import EscudoError
from escudo.spl.macros import expand
from escudo.spl.parse import parse
from escudo.spl.syntax.pretty_print import format_text
from tests.shared_data import needs_shared
from tests.spl.upstream import NOT_PART_OF_THE_CONTENT, book, searches
from tests.yaml_file import read_yaml

CASES = read_yaml(Path(__file__).with_name("pretty_print.yml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_layout(case: dict[str, str]) -> None:
    assert format_text(case["spl"], width=60) + "\n" == case["laid"]


@pytest.mark.parametrize("spl", ["a [search b", "a ]", 'a "b', "a `b"])
def test_what_is_not_closed_is_an_error(spl: str) -> None:
    with pytest.raises(EscudoError, match="SPL102"):
        format_text(spl)


@given(st.lists(st.sampled_from(["a", "| eval", "x=1", "(b", ")", "[c]", '"d  e"', ",", "OR"])))
def test_laying_out_again_changes_nothing(words: list[str]) -> None:
    once = format_text(" ".join(words), width=20)
    assert format_text(once, width=20) == once
    assert once.split() == " ".join(words).split()


@needs_shared
@pytest.mark.slow
def test_upstream_searches_mean_the_same_when_laid_out() -> None:
    for search in searches():
        laid = format_text(search.text)
        assert format_text(laid) == laid, search.name
        if search.name not in NOT_PART_OF_THE_CONTENT:
            before = parse(expand(search.text, book()))
            assert parse(expand(laid, book())) == before, search.name
