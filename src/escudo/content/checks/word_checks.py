"""Checks of keys whose values are of a list: asset type, domain, product, category, use case."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from escudo.content.checks.element import FINDINGS, RBA, Check, Element, Found, Known
from escudo.content.checks.value import Value
from escudo.content.checks.words import (
    ASSET_TYPES,
    DETECTION_CATEGORIES,
    INVESTIGATION_PRODUCTS,
    LOOKUP_TYPES,
    PRODUCTS,
    SECURITY_DOMAINS,
    STORY_CATEGORIES,
    USE_CASES,
)

_LISTS: dict[str, tuple[tuple[str, Sequence[str]], ...]] = {
    "detection": (
        ("asset_type", ASSET_TYPES),
        ("product", PRODUCTS),
        ("security_domain", SECURITY_DOMAINS),
    ),
    "baseline": (("product", PRODUCTS), ("security_domain", SECURITY_DOMAINS)),
    "investigation": (("product", INVESTIGATION_PRODUCTS), ("security_domain", SECURITY_DOMAINS)),
    "story": (("category", STORY_CATEGORIES), ("product", PRODUCTS), ("usecase", USE_CASES)),
}
"""Kind -> the keys of its tags that it has to have, and what they may be."""


def find_unknown_words(element: Element, known: Known) -> Iterator[Found]:
    for key, allowed in _LISTS.get(element.kind, ()):
        value = element.tags.get(key)
        if not value.texts:
            yield Found(value, f"{key} is missing", _list(allowed))
        for member in value.members:
            yield from find_unknown_word(key, member, allowed)
    if element.kind == "detection" and element.format == FINDINGS:
        for member in element.root.get("category").members:
            yield from find_unknown_word("category", member, DETECTION_CATEGORIES)
    if element.kind == "lookup" and element.format >= RBA:
        yield from find_unknown_word("lookup_type", element.root.get("lookup_type"), LOOKUP_TYPES)


def find_unknown_word(key: str, value: Value, allowed: Sequence[str]) -> Iterator[Found]:
    """What is wrong with one value, which has to be one of a list, to the letter."""
    if value.text in allowed:
        return
    near = difflib.get_close_matches(value.text.lower(), [a.lower() for a in allowed], 1, 0.7)
    better = next((a for a in allowed if near and a.lower() == near[0]), None)
    yield Found(
        value,
        f"{key} {value.text!r} is none that is known",
        f"did you mean {better!r}?" if better else _list(allowed),
    )


def _list(allowed: Sequence[str]) -> str:
    return f"one of: {', '.join(allowed)}"


CHECKS = (Check("CON420", find_unknown_words),)
