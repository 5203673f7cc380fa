"""Which values of JSON are lists of events: answers of services, not parts of an event."""

from __future__ import annotations

from typing import Any

import pytest

from escudo.sources.formats.json_stream import find_events

EVENT = {"timestamp": "2024-06-01T00:00:00Z", "n": 1}


@pytest.mark.parametrize("name", ["results", "records", "value", "events"])
def test_a_list_beside_other_keys(name: str) -> None:
    assert find_events({"count": 1, name: [EVENT, EVENT]}) == [EVENT, EVENT]


@pytest.mark.parametrize(
    "value",
    [
        {"actor": "ann", "events": [{"type": "login", "name": "ok"}]},
        {"host": "a", "value": [1, 2]},
        {"hits": {"hits": [{"n": 1}]}, "page": 2},
    ],
)
def test_parts_of_an_event_stay_in_it(value: dict[str, Any]) -> None:
    assert find_events(value) == [value]
