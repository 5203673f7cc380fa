"""A detection, the fields of its search's rows -> the names in risk, messages, throttling and
drilldowns that no row has; called by ``escudo validate``.

contentctl looks whether a name occurs somewhere in the search's text; here the search has been
bound, so that what counts is what it returns.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from escudo.content.checks import Element, Value, list_risk_objects, list_threat_objects, place_text
from escudo.core.errors import Diagnostic, Severity, Span
from escudo.findings.tokens import (
    ORIGINAL_SEARCH,
    drop_filter,
    list_message_fields,
    parse_search_template,
    parse_text_template,
)

RUN_TOKENS = frozenset({"info_min_time", "info_max_time", "info_sid", "search_name"})
"""Tokens of a drilldown that every finding has besides the fields of its row."""

_EVERY_FINDING = frozenset({"rule_title", "rule_name", "savedsearch_description", "orig_sid"})


@dataclass(frozen=True)
class Output:
    """The fields that the rows of a search have; ``open``: there may be others."""

    names: frozenset[str]
    open: bool = False

    def has(self, name: str) -> bool:
        """Whether a row may have a field, which may be named with its dataset before it."""
        return self.open or name in self.names or name.rpartition(".")[2] in self.names

    def suggest(self, name: str) -> str | None:
        """A field that may be meant: with its dataset before it, in another case, or close."""
        whole = sorted(n for n in self.names if n.rpartition(".")[2] == name)
        if whole:
            return f"the search returns {whole[0]!r}"
        by_lower = {n.lower(): n for n in self.names}
        near = difflib.get_close_matches(name.lower(), by_lower, 1, 0.75)
        if near:
            return f"did you mean {by_lower[near[0]]!r}?"
        shown = sorted(n for n in self.names if not n.startswith("_"))[:12]
        return f"the search returns {', '.join(shown)}" if shown else None


def check_named_fields(element: Element, output: Output) -> Iterator[Diagnostic]:
    """What of a detection names fields that its search does not return.

    It is an error of a detection in production, and a warning of any other.
    """
    severity = Severity.ERROR if element.in_production else Severity.WARNING
    named = (
        *_list_objects(element),
        *_list_messages(element),
        *_list_throttling(element),
        *_list_drilldowns(element),
    )
    told: set[tuple[str, str, Span]] = set()
    for code, what, name, value in named:
        if output.has(name):
            continue
        span = place_text(element, value, f"${name}$")
        if (code, name, span) in told:
            continue
        told.add((code, name, span))
        message = f"{what} {name!r}, which the search does not return"
        source = element.file.source
        yield Diagnostic(code, message, severity, span, output.suggest(name), source)


Named = tuple[str, str, str, Value]
"""A code, who names a field, the field, and in which value."""


def _list_objects(element: Element) -> Iterator[Named]:
    for value in list_risk_objects(element):
        field = value.get("field")
        if field.text:
            yield "FND002", "a risk object is", field.text, field
    for value in list_threat_objects(element):
        field = value.get("field")
        if field.text:
            yield "FND002", "a threat object is", field.text, field
    for value in element.tags.get("observable").members:
        roles = {role.lower() for role in value.get("role").texts}
        if value.get("name").text and roles & {"victim", "attacker"}:
            yield "FND002", "an observable is", value.get("name").text, value.get("name")


def _list_messages(element: Element) -> Iterator[Named]:
    root = element.root
    messages = [
        root.get("rba").get("message"),
        root.get("finding").get("title"),
        element.tags.get("message"),
        *(v.get("message") for v in list_risk_objects(element)),
    ]
    for value in messages:
        closed = {token.strip("$") for token in _split_tokens(value.text)}
        for name in list_message_fields(value.text):
            if name in closed or f"result.{name}" in closed:
                yield "FND003", "the message names", name, value


def _split_tokens(text: str) -> Iterator[str]:
    parts = parse_text_template(text).parts
    return (name for name, render in parts if render is not None)


def _list_throttling(element: Element) -> Iterator[Named]:
    for value in element.tags.get("throttling").get("fields").members:
        if value.text:
            yield "FND006", "throttling is by", value.text, value


def _list_drilldowns(element: Element) -> Iterator[Named]:
    for drilldown in element.root.get("drilldown_searches").members:
        for key in ("name", "search", "earliest_offset", "latest_offset"):
            value: Value = drilldown.get(key)
            parse = parse_search_template if key == "search" else parse_text_template
            for name, render in parse(value.text).parts:
                field = drop_filter(name.removeprefix("result."))
                if render is None or name == ORIGINAL_SEARCH:
                    continue
                if field not in RUN_TOKENS | _EVERY_FINDING:
                    yield "FND004", "a drilldown names", field, value
