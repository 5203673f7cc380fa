"""Every search of the upstream content is read, and read again from its canonical text."""

from __future__ import annotations

import pytest

from escudo.core.errors import EscudoError
from escudo.spl.macros import expand
from escudo.spl.parse import parse
from escudo.spl.syntax.pretty_print import lay_out
from tests.shared_data import needs_shared
from tests.spl.dropping import without_effect
from tests.spl.upstream import NOT_PART_OF_THE_CONTENT, book, searches

SAID_DEFAULTS = {
    "summariesonly=false",
    "field=_raw",
    "input=_raw",
    "createinapp=true",
    "type=inner",
    "value=0",
    'delim=" "',
}
"""Options that searches spell out with their default value, so that they change nothing."""
KINDS = ("detections", "baselines", "investigations", "drilldowns")


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize("kind", KINDS)
def test_all_searches_parse(kind: str) -> None:
    failed: dict[str, str] = {}
    of_kind = [s for s in searches() if s.kind == kind]
    assert kind != "detections" or len(of_kind) >= 1181
    for search in of_kind:
        try:
            parse(expand(search.text, book(), file=search.name))
        except EscudoError as error:
            failed[search.name] = str(error)
    assert failed.keys() - NOT_PART_OF_THE_CONTENT.keys() == set(), failed
    assert all("unknown macro" in text for text in failed.values())


@needs_shared
@pytest.mark.slow
def test_canonical_text_reads_as_the_same_tree() -> None:
    for search in searches():
        if search.name in NOT_PART_OF_THE_CONTENT:
            continue
        tree = parse(expand(search.text, book()))
        assert parse(tree.format()) == tree, search.name
        assert parse(lay_out(tree)) == tree, search.name


@needs_shared
@pytest.mark.slow
def test_nothing_that_a_search_says_is_dropped() -> None:
    dropped: dict[str, list[str]] = {}
    for search in searches():
        if search.kind != "drilldowns" and search.name not in NOT_PART_OF_THE_CONTENT:
            text = expand(search.text, book()).text
            for option in without_effect(text, parse(text)):
                dropped.setdefault(option, []).append(search.name)
    assert dropped.keys() - SAID_DEFAULTS == set(), dropped
