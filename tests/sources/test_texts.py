"""Texts of one event each, whatever their forms: every one comes out, with its number."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from escudo.sources.texts import TextReader
from tests.lake.logs import sysmon

CLASSIC = "03/05/2024 11:20:30 PM\nLogName=Security\nEventCode=4689\nComputerName=pc\nMessage=x\n"
XML = sysmon(1).strip()
TEXTS = [
    "up",
    '{"EventID": 1, "Channel": "Security"}',
    XML,
    "{broken",
    '{\n  "a": 1\n}',
    CLASSIC,
    '<13>1 - h sysmon - - - ' + XML,
    "<Event><System>",
    '[{"a": 1}]',
    "",
    '{"a": {"b": ["x", "y"]}}',
]  # fmt: skip


def read(texts: list[str]) -> dict[int, dict[str, Any]]:
    """Number -> fields, with the raw text as ``_raw``."""
    found: dict[int, dict[str, Any]] = {}
    for events in TextReader().read(pa.array(texts, pa.string())):
        assert events.order is not None
        for row, number in enumerate(events.order.to_pylist()):
            assert number not in found
            found[number] = {"_raw": events.raw[row].as_py()}
            for name, values in events.fields.items():
                value = values if isinstance(values, str) else values[row].as_py()
                if value is not None:
                    found[number][name] = value
    return found


@pytest.mark.parametrize("copies", [1, 40, 300])
def test_each_text_is_an_event(copies: int) -> None:
    """Few are read one by one, many by columns: with the same result."""
    texts = TEXTS * copies
    found = read(texts)
    assert sorted(found) == list(range(len(texts)))
    for number, fields in found.items():
        text = texts[number]
        assert fields["_raw"].strip() == text.strip()
        match number % len(TEXTS):
            case 1:
                assert (fields["EventID"], fields["Channel"]) == ("1", "Security")
            case 2 | 6:
                assert fields["Image"] == "C:\\Windows\\System32\\cmd.exe"
            case 4:
                assert fields["a"] == "1"
            case 5:
                assert (fields["EventID"], fields["Computer"]) == ("4689", "pc")
            case 10:
                assert fields["a.b{}"] == ["x", "y"]
            case _:
                assert list(fields) == ["_raw"]


def test_xml_with_several_events_in_a_text() -> None:
    """All of them are read; they have the number of their text."""
    texts = pa.array([sysmon(3), "up", sysmon(1, start=5)])
    counts: dict[int, int] = {}
    for events in TextReader().read(texts):
        assert events.order is not None
        for number in events.order.to_pylist():
            counts[number] = counts.get(number, 0) + 1
    assert counts == {0: 3, 1: 1, 2: 1}


def test_field_names_that_never_come_again_are_forgotten() -> None:
    reader = TextReader()
    strange = [json.dumps({f"x{n}": 1}) for n in range(1600)]
    plain = [json.dumps({"a": str(n)}) for n in range(300)]
    for texts in (strange, plain, plain):
        assert sum(len(e.raw) for e in reader.read(pa.array(texts))) == len(texts)
    assert reader._json.known_paths < 10
