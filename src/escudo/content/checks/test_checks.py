"""Checks of the tests of a detection: there is one, and its data can be had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from escudo.content.checks.element import Check, Element, Found, Known
from escudo.content.checks.element_checks import is_url
from escudo.content.checks.value import Value
from escudo.content.roots import stays_inside

_UNTESTED_TYPES = ("Correlation",)
_KINDS = ("unit", "integration", "manual", "experimental")


def find_missing_test(element: Element, known: Known) -> Iterator[Found]:
    root = element.root
    if not element.in_production or element.tags.get("manual_test").present:
        return
    if root.get("type").text not in _UNTESTED_TYPES and not root.get("tests").members:
        yield Found(
            root.get("tests"),
            "a detection in production has at least one test",
            "add tests, or tags.manual_test with the reason why there is none",
        )


def find_wrong_tests(element: Element, known: Known) -> Iterator[Found]:
    for test in element.root.get("tests").members:
        if not test.get("name").text:
            yield Found(test.get("name"), "the test has no name")
        kind = test.get("test_type")
        if kind.present and kind.text.lower() not in _KINDS:
            yield Found(kind, f"test_type {kind.text!r} is none of: {', '.join(_KINDS)}")
        if not test.get("attack_data").members and kind.text.lower() != "experimental":
            yield Found(test.get("attack_data"), "the test has no attack_data")
        for data in test.get("attack_data").members:
            yield from _find_wrong_data(data, element)


def _find_wrong_data(data: Value, element: Element) -> Iterator[Found]:
    for key in ("source", "sourcetype"):
        if not data.get(key).text:
            yield Found(data.get(key), f"the test's data has no {key}", "as it is when it comes in")
    place = data.get("data")
    if not place.text:
        yield Found(place, "the test's data has no data", "a URL, or a file of the content")
    elif not is_url(place.text) and not _exists(place.text, element):
        yield Found(
            place,
            f"the test's data {place.text!r} is neither a URL nor a file",
            f"files are looked for in {element.file.root} and beside the detection",
        )


def _exists(name: str, element: Element) -> bool:
    root = Path(element.file.root)
    candidates = (root / name, element.folder / name)
    return any(stays_inside(path, root) and path.is_file() for path in candidates)


CHECKS = (
    Check("CON447", find_missing_test),
    Check("CON448", find_wrong_tests),
)
