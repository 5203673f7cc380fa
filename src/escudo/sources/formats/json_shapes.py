"""A JSON object of a rarer shape -> the Windows event in it; ``json_forms`` calls it.

``SHAPES`` is the one table of them. The shapes that most logs have (evtx_dump, Winlogbeat, flat
objects as NXLog's) are read by columns in ``json_forms``; these are read event by event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from escudo.sources.formats.classic_text import EVENT_START, WindowsEvent, read_classic_event
from escudo.sources.formats.json_leaves import Path, walk_leaves
from escudo.sources.formats.shapes.element import read_element
from escudo.sources.formats.shapes.exports import (
    nest_dotted,
    read_azure_event,
    read_defender,
    read_elastic_fields,
    read_evtxecmd,
    read_get_winevent,
)
from escudo.sources.formats.shapes.shippers import (
    read_fluent_bit,
    read_old_beat,
    read_otel,
    read_wazuh,
)
from escudo.sources.formats.shapes.values import look_up
from escudo.sources.formats.xml_element import NotAnEventError, read_event_fields

Turned = WindowsEvent | dict[str, Any]
"""An event, or an object of a shape that columns are made of."""

_XML = re.compile(r"<(\w+:|)Event[\s>].*</\1Event\s*>", re.DOTALL)
CARRIES = r'<(?:\w+:)?Event[\s>]|LogName=|\{\s*\\"'
"""What the text of an object has, in one of its own texts, that an event may begin with."""
_SHORTEST = 30
"""Characters. A shorter text holds no event."""
_DEEPEST = 4
"""Objects within texts within objects that are looked into."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A way to write a Windows event as an object: the keys it always has, and how it is read.

    ``marks`` are alternatives; in each, the paths that an object must have.
    """

    name: str
    marks: tuple[tuple[Path, ...], ...]
    turn: Callable[[Mapping[str, Any]], Turned | None]

    def fits(self, value: Mapping[str, Any]) -> bool:
        """Whether an object has the shape's keys."""
        return any(all(look_up(value, path) is not None for path in paths) for paths in self.marks)


def find_windows_event(value: Mapping[str, Any], depth: int = 0) -> Turned | None:
    """The Windows event in an object, in an object of it, or in a text of it; None if none is.

    >>> event = find_windows_event(
    ...     {"win": {"system": {"eventID": "1"}, "eventdata": {"image": "x"}}})
    >>> event.system, event.own
    ({'EventID': '1'}, {'Image': 'x'})
    """
    for shape in SHAPES:
        if shape.fits(value):
            turned = shape.turn(value)
            if turned is not None:
                return turned
    if depth >= _DEEPEST:
        return None
    for key, inner in value.items():
        found: Turned | None = None
        if isinstance(inner, dict):
            found = find_windows_event(inner, depth + 1)
        elif isinstance(inner, str) and len(inner) >= _SHORTEST:
            found = _in_text(inner, depth)
        if found is not None:
            return _beside(found, {k: v for k, v in value.items() if k != key})
    return None


def _in_text(text: str, depth: int) -> Turned | None:
    if markup := _XML.search(text):
        try:
            return _from_xml(markup[0])
        except NotAnEventError:
            return None
    if EVENT_START.match(text):
        return read_classic_event(text)
    start = text.find("{")
    if start < 0 or (start > 0 and text[:start].strip() and not text.rstrip().endswith("}")):
        return None
    try:
        inner = orjson.loads(text[start:])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(inner, dict):
        return None
    found = find_windows_event(inner, depth + 1)
    return found if found is not None else (inner if _has_columns(inner) else None)


def _has_columns(value: Mapping[str, Any]) -> bool:
    """Whether an object has one of the shapes that ``json_forms`` reads by columns."""
    paths: tuple[tuple[Path, ...], ...] = (
        (("Event", "System", "EventID"),),
        (("winlog", "event_id"), ("winlog", "channel")),
        (("EventID",), ("Channel",)),
        (("event_simpleName",),),
        (("#event_simpleName",),),
    )
    return any(all(look_up(value, path) is not None for path in every) for every in paths)


def _from_xml(text: str) -> WindowsEvent:
    """The event's fields; those of System and its own are told apart already."""
    return WindowsEvent(system=read_event_fields(text))


def _beside(turned: Turned, outer: Mapping[str, Any]) -> Turned:
    """What stands around the event is the shipper's, under the shipper's names."""
    if isinstance(turned, dict):
        return {**outer, **turned}
    for path, value in walk_leaves(outer):
        turned.rest.setdefault(".".join(path), value)
    if "SystemTime" not in turned.system:
        for name in ("_time", "@timestamp", "timestamp", "time"):
            if isinstance(outer.get(name), str):
                turned.system["SystemTime"] = outer[name]
                break
    elif isinstance(outer.get("_time"), str) and "LogName" in turned.rest:
        # A classic text tells no zone; Splunk's own time does.
        turned.system["SystemTime"] = outer["_time"]
    return turned


def _read_otlp(value: Mapping[str, Any]) -> Turned | None:
    """OpenTelemetry's own JSON: values are objects that name their type."""
    plain = _plain_otlp(value.get("body"))
    if isinstance(plain, dict):
        return find_windows_event(plain)
    return _in_text(plain, 1) if isinstance(plain, str) else None


def _plain_otlp(value: Any) -> Any:
    match value:
        case {"kvlistValue": {"values": list() as pairs}}:
            return {pair.get("key"): _plain_otlp(pair.get("value")) for pair in pairs}
        case {"arrayValue": {"values": list() as values}}:
            return [_plain_otlp(inner) for inner in values]
        case {"stringValue": inner} | {"intValue": inner} | {"doubleValue": inner}:
            return inner
        case {"boolValue": inner}:
            return inner
    return None


SHAPES: tuple[Shape, ...] = (
    Shape(
        "element",
        (
            (("System", "EventID"), ("System", "Channel")),
            (("System", "EventID"), ("System", "Provider")),
            (("Event", "System", "Provider", "Name"),),
            (("Event", "System", "Provider", "@Name"),),
            (("Event", "System", "Provider", "-Name"),),
            (("Event", "System", "TimeCreated", "@SystemTime"),),
            (("Event", "System", "TimeCreated", "SystemTime"),),
        ),
        read_element,
    ),
    Shape("evtxecmd", ((("EventId",), ("Channel",), ("Payload",)),), read_evtxecmd),
    Shape("winlogbeat_6", ((("event_id",), ("log_name",)),), read_old_beat),
    Shape("otel", ((("channel",), ("event_id",), ("provider",)),), read_otel),
    Shape("otlp", ((("body", "kvlistValue"),), (("body", "stringValue"),)), _read_otlp),
    Shape("wazuh", ((("win", "system"),),), read_wazuh),
    Shape("get_winevent", ((("Id",), ("LogName",), ("ProviderName",)),), read_get_winevent),
    Shape(
        "fluent_bit",
        (
            (("StringInserts",), ("EventID",)),
            # NXLog has a ProviderName of some events' own, but no Computer beside it.
            (("ProviderName",), ("EventID",), ("Channel",), ("Computer",), ("EventRecordID",)),
        ),
        read_fluent_bit,
    ),
    Shape("elastic_fields", ((("fields", "winlog.event_id"),),), read_elastic_fields),
    Shape("dotted", ((("winlog.event_id",),),), nest_dotted),
    Shape("azure_event", ((("EventLog",), ("EventID",), ("Source",)),), read_azure_event),
    Shape("defender", ((("properties", "ActionType"),),), read_defender),
)
"""Tried in this order, before the shapes that are read by columns."""


def hint_paths() -> Iterator[tuple[Path, ...]]:
    """The keys of all shapes, for a look at many objects at once."""
    for shape in SHAPES:
        yield from shape.marks
