from __future__ import annotations

from escudo.content.knowledge import ContentKnowledge
from escudo.core.catalog import Macro


def test_a_defined_filter_wins_over_the_default() -> None:
    own = Macro("x_filter", "search NOT a=1")
    knowledge = ContentKnowledge({("x_filter", 0): own}, {}, {}, ["a | `x_filter`"])
    assert knowledge.macro("x_filter", 0) is own


def test_only_filters_that_a_search_names_have_a_default() -> None:
    knowledge = ContentKnowledge({}, {}, {}, ["a | `x_filter`", "b | `y`"])
    assert knowledge.macros() == (("x_filter", 0),)
    assert knowledge.macro("y", 0) is None
    assert knowledge.macro("x_filter", 1) is None
