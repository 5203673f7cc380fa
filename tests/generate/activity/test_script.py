"""Every script is whole: its tables exist, its attacks can be planted, a fault in it is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from escudo.generate.activity.placeholders import parse, tables_of
from escudo.generate.activity.script import SCRIPTS, load_script, read_script

MINIMAL: dict[str, Any] = {
    "form": "text",
    "host": "h",
    "user": "u",
    "src": "s",
    "tables": {"page": {"names": ["path"], "rows": [["/"]]}},
    "kinds": [{"name": "visit", "weight": 1, "event": "GET ${page.path}"}],
    "campaign": [],
    "attacks": [],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_has_attacks_that_detections_name(name: str) -> None:
    script = load_script(name)
    assert sum(bool(step.expect) for step in script.steps) >= 3
    for step in script.steps:
        assert re.fullmatch(r"T\d{4}(\.\d{3})?", step.technique)
        assert set(step.pick) <= script.tables.keys()


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_table_is_used(name: str) -> None:
    script = load_script(name)
    events = [event for kind in (*script.kinds, *script.steps) for event in kind.events]
    used = set().union(*(tables_of(event.template) for event in events))
    for table in script.tables.values():
        for template in table.add.values():
            used |= tables_of(template)
    for step in script.steps:
        used |= tables_of(step.src)
    assert script.tables.keys() <= used | tables_of(script.host) | tables_of(script.user)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kinds": [{"name": "x", "weight": 1, "event": "${shop.path}"}]}, "unknown tables"),
        ({"kinds": [{"name": "x", "weight": 1, "event": "${colour}"}]}, "unknown placeholder"),
        ({"kinds": [{"name": "x", "weight": 1, "hours": "tea", "event": "a"}]}, "unknown hours"),
        ({"kinds": [{"name": "x", "weight": 1, "events": ["a", "b"]}]}, "no kind has one event"),
        ({"tables": {"page": {"names": ["path"], "rows": [["/", 1]]}}}, "has not the columns"),
    ],
)
def test_a_fault_is_told(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_script("made", MINIMAL | change)


def test_short_names_may_have_short_names_in_them() -> None:
    value = MINIMAL | {
        "short": {"a": "<${b}>", "b": "${page.path}"},
        "kinds": [{"name": "visit", "weight": 1, "event": "${a}"}],
    }
    (kind,) = read_script("made", value).kinds
    assert kind.events[0].template == ("<", *parse("${page.path}"), ">\n")


def test_a_value_of_json_can_be_a_number() -> None:
    event = {"port": "=${n:1:9}", "text": "${n:1:9}"}
    value = MINIMAL | {
        "form": "json",
        "kinds": [{"name": "visit", "weight": 1, "event": event}],
    }
    (kind,) = read_script("made", value).kinds
    assert kind.events[0].template == (
        '{"port":',
        *parse("${n:1:9}"),
        ',"text":"',
        *parse("${n:1:9}"),
        '"}\n',
    )
