"""Small generated logs, parsed by the standard library: the tests' view of what was written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

from escudo.generate.answers import Answers
from escudo.generate.generate import generate

EVENTS = 30_000
SEED = 11
_NS = "{http://schemas.microsoft.com/win/2004/08/events/event}"


@dataclass(frozen=True)
class Event:
    """``system`` has EventID, Computer, Channel, SystemTime, EventRecordID, ProcessID."""

    system: dict[str, str]
    data: dict[str, str]

    @property
    def code(self) -> int:
        return int(self.system["EventID"])


@cache
def raw(format: str, events: int = EVENTS, seed: int = SEED) -> tuple[bytes, Answers]:
    out = io.BytesIO()
    answers = generate(events, seed, format, out)
    return out.getvalue(), answers


@cache
def xml_events(format: str = "xml") -> list[Event]:
    return [_xml(line) for line in raw(format)[0].decode().splitlines()]


@cache
def json_events() -> list[Event]:
    return [_json(line) for line in raw("evtx-json")[0].splitlines()]


@cache
def fdr_events() -> list[dict[str, str]]:
    return [json.loads(line) for line in raw("fdr")[0].splitlines()]


def sysmon(events: list[Event], code: int) -> Iterator[Event]:
    return (e for e in events if e.code == code and "Sysmon" in e.system["Channel"])


def _xml(line: str) -> Event:
    root = ElementTree.fromstring(line)
    system, data = root[0], root[1]
    values = {e.tag.removeprefix(_NS): e.text or "" for e in system}
    for element in system:
        values |= element.attrib
    return Event(values, {e.attrib["Name"]: e.text or "" for e in data})


def _json(line: bytes) -> Event:
    event = json.loads(line)["Event"]
    system: dict[str, str] = {}
    for name, value in event["System"].items():
        if isinstance(value, dict):
            system |= {k: _text(v) for k, v in value["#attributes"].items()}
        else:
            system[name] = _text(value)
    return Event(system, {k: _text(v) for k, v in event["EventData"].items()})


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
