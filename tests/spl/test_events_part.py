"""Which commands of a search find its events, and which only say how many of them are wanted."""

from __future__ import annotations

import pytest

from escudo.content import load
from escudo.core.timerange import TimeRange
from escudo.spl.compile import EventsPart, find_events_part

KNOWLEDGE = load([]).knowledge


def _find(text: str) -> EventsPart | None:
    return find_events_part(text, KNOWLEDGE, now=1_000_000.0, within=TimeRange(1.0, 2.0))


@pytest.mark.parametrize(
    ("search", "text", "whole", "first", "closed"),
    [
        ("index=a", "index=a", True, None, False),
        ("index=a | where isnull(b)", "index=a | where isnull(b)", True, None, False),
        ("index=a | table b", "index=a | table b", True, None, True),
        ("index=a | head", "index=a", False, 10, False),
        ("index=a | head 5 | table b", "index=a | table b", False, 5, True),
        ("index=a | stats count", "index=a", False, None, False),
        ("index=a | head 5 | where b>1", "index=a", False, None, False),
        ("index=a | head 5 | head 3", "index=a", False, None, False),
        ("index=a | head 5 | fillnull", "index=a", False, None, False),
        ("index=a | head 5 | stats count", "index=a", False, None, False),
        ("index=a | head limit=5 (b>1)", "index=a", False, None, False),
        ("index=a | dedup b | head 5", "index=a", False, None, False),
    ],
)
def test_the_part_that_finds_events(
    search: str, text: str, whole: bool, first: int | None, closed: bool
) -> None:
    part = _find(search)
    assert part is not None
    assert (part.text, part.whole, part.first, part.closed) == (text, whole, first, closed)
    assert part.within == TimeRange(1.0, 2.0)


@pytest.mark.parametrize(
    "search",
    ["| makeresults", "| tstats count", "index=a [search index=b | fields c]", "| inputlookup x"],
)
def test_some_searches_have_none(search: str) -> None:
    assert _find(search) is None


def test_times_of_the_search_are_its_own() -> None:
    part = _find("index=a earliest=-10s latest=now | stats count")
    assert part is not None
    assert part.within == TimeRange(999_990.0, 1_000_000.0)
