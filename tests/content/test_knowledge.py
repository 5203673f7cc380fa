from __future__ import annotations

from escudo.content.knowledge import ContentKnowledge
from escudo.core.catalog import Lookup, Macro


def test_a_defined_filter_wins_over_the_default() -> None:
    own = Macro("x_filter", "search NOT a=1")
    knowledge = ContentKnowledge({("x_filter", 0): own}, {}, {}, ["a | `x_filter`"])
    assert knowledge.macro("x_filter", 0) is own


def test_only_filters_that_a_search_names_have_a_default() -> None:
    knowledge = ContentKnowledge({}, {}, {}, ["a | `x_filter`", "b | `y`"])
    assert knowledge.macros() == (("x_filter", 0),)
    assert knowledge.macro("y", 0) is None
    assert knowledge.macro("x_filter", 1) is None


def test_lookups_that_the_content_writes_have_their_writer() -> None:
    searches = {
        "B - Update": "a | outputlookup append=t seen",
        "B - Initial": 'a | outputlookup create_empty=false "seen"',
        "C": "a | outputlookup other.csv | stats count",
        "D": "inputlookup never_written",
    }
    knowledge = ContentKnowledge({}, {"seen": Lookup("seen", collection="seen")}, searches, [])
    assert knowledge.lookup("seen") == Lookup("seen", collection="seen", writer="B - Initial")
    assert knowledge.lookup("other.csv") == Lookup("other.csv", writer="C")
    assert knowledge.lookup("never_written") is None
