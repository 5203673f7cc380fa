"""Checks of the drilldowns of a detection: complete, enough of them, one with its own search."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.content.checks.element import RBA, Check, Element, Found, Known

ORIGINAL_SEARCH = "%original_detection_search%"
LEAST = 2
SHORTEST_NAME = 5


def find_incomplete_drilldowns(element: Element, known: Known) -> Iterator[Found]:
    for value in element.root.get("drilldown_searches").members:
        for key in ("name", "search", "earliest_offset", "latest_offset"):
            if not value.get(key).text:
                yield Found(value.get(key), f"the drilldown has no {key}", "each key is needed")
        name = value.get("name")
        if 0 < len(name.text) < SHORTEST_NAME:
            message = (
                f"the drilldown's name {name.text!r} has fewer than {SHORTEST_NAME} characters"
            )
            yield Found(name, message)


def _needs_drilldowns(element: Element) -> bool:
    return element.in_production and element.root.get("type").text != "Hunting"


def find_few_drilldowns(element: Element, known: Known) -> Iterator[Found]:
    drilldowns = element.root.get("drilldown_searches")
    count = len(drilldowns.members)
    if _needs_drilldowns(element) and count < LEAST:
        yield Found(
            drilldowns,
            f"a detection in production has at least {LEAST} drilldowns, this one has {count}",
            "one for its own rows, one for the risk of the last days",
        )


def find_foreign_drilldowns(element: Element, known: Known) -> Iterator[Found]:
    drilldowns = element.root.get("drilldown_searches")
    searches = [value.get("search").text for value in drilldowns.members]
    if _needs_drilldowns(element) and searches and not any(ORIGINAL_SEARCH in s for s in searches):
        yield Found(
            drilldowns.members[0].get("search"),
            f"no drilldown has {ORIGINAL_SEARCH}",
            f"such as: '{ORIGINAL_SEARCH} | search dest = \"$dest$\"'",
        )


CHECKS = (
    Check("CON444", find_incomplete_drilldowns),
    Check("CON445", find_few_drilldowns, since=RBA),
    Check("CON446", find_foreign_drilldowns, since=RBA),
)
