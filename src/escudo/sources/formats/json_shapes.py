"""A JSON object of a rarer shape -> the Windows event in it; ``json_forms`` calls it.

``SHAPES`` is the one table of them. The shapes that most logs have (evtx_dump, Winlogbeat, flat
objects as NXLog's) are read by columns in ``json_forms``; these are read event by event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from escudo.sources.formats.classic_text import (
    EVENT_START,
    WindowsEvent,
    read_classic_event,
    read_message,
)
from escudo.sources.formats.event_templates import name_values
from escudo.sources.formats.json_columns import Path, walk_leaves
from escudo.sources.formats.xml_element import Field, NotAnEventError, read_event_fields

Turned = WindowsEvent | dict[str, Any]
"""An event, or an object of a shape that columns are made of."""

_XML = re.compile(r"<(\w+:|)Event[\s>].*</\1Event\s*>", re.DOTALL)
CARRIES = r'<(?:\w+:)?Event[\s>]|LogName=|\{\s*\\"'
"""What the text of an object has, in one of its own texts, that an event may begin with."""
_SHORTEST = 30
"""Characters. A shorter text holds no event."""
_DEEPEST = 4
"""Objects within texts within objects that are looked into."""
_DOTNET_TIME = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
_SIGNED = re.compile(r"-?\d+")
_DOUBLED = re.compile(r"^[A-Za-z]:\\\\")
_ATTRIBUTES = ("#attributes", "attributes", "$")
_TEXTS = ("#text", "Value", "value", "_", "Text", "text", "id", "Content")
_SYSTEM_TIMES = ("TimeCreated", "SystemTime")


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
        return any(all(_at(value, path) is not None for path in paths) for paths in self.marks)


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
    return any(all(_at(value, path) is not None for path in every) for every in paths)


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


def _at(value: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _text(value: Any) -> str | None:
    """A scalar as text; an object by the text that it holds; nothing for an empty one."""
    if isinstance(value, dict):
        value = next((value[k] for k in _TEXTS if k in value), None)
    if value is None or isinstance(value, list | dict):
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text or None


def read_time(value: Any) -> str | None:
    """A time as .NET's serialisers and others write it, as text that ``parse_times`` takes.

    >>> read_time("/Date(1709634030123)/"), read_time({"value": "/Date(0)/"}), read_time(1.5)
    ('2024-03-05T10:20:30.123Z', '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:01.500Z')
    """
    if isinstance(value, dict):
        lower = {k.lower().lstrip("@#"): v for k, v in value.items()}
        value = next((lower[k] for k in ("systemtime", "value", "datetime") if k in lower), None)
    if isinstance(value, str) and (parts := _DOTNET_TIME.search(value)):
        return _iso(int(parts[1]) * 1000)
    if isinstance(value, float) and 0 <= value < 4e10:
        return _iso(round(value * 1e6))
    return _text(value)


def _iso(micros: int) -> str:
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC)
    fraction = micros % 1_000_000
    digits = f"{fraction:06}" if fraction % 1000 else f"{fraction // 1000:03}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{digits}Z"


def _keywords(value: Any) -> str | None:
    """A number as the hexadecimal of Windows, whether signed or not."""
    text = _text(value)
    if text is not None and _SIGNED.fullmatch(text):
        return f"0x{int(text) & 0xFFFFFFFFFFFFFFFF:x}"
    return text if text is None or text.startswith("0x") else _AUDIT.get(text)


_AUDIT = {"Audit Success": "0x8020000000000000", "Audit Failure": "0x8010000000000000"}


def _braced(value: Any) -> str | None:
    text = _text(value)
    return f"{{{text}}}" if text and len(text) == 36 and text.count("-") == 4 else text


def _put(fields: dict[str, Field], name: str, value: str | None) -> None:
    if value:
        fields.setdefault(name, value)


def _system(part: Mapping[str, Any]) -> dict[str, Field]:
    """The System element as an object: attributes beside texts, in objects, with marks or not."""
    out: dict[str, Field] = {}
    for key, value in part.items():
        if key in _SYSTEM_TIMES:
            _put(out, "SystemTime", read_time(_merged(value)))
        elif key == "Keywords":
            _put(out, key, _keywords(value))
        elif key.endswith("_attributes") and isinstance(value, dict):
            _attributes(out, value)
        elif isinstance(value, dict):
            merged = _merged(value)
            if not key.startswith(("Provider", "Correlation", "Execution", "Security")):
                _put(out, key, _text(merged))
            _attributes(out, {k: v for k, v in merged.items() if k not in _TEXTS})
        else:
            _put(out, key, _text(value))
    return out


def _merged(value: Any) -> Any:
    """An element's attributes beside its text, without the marks of converters."""
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _ATTRIBUTES and isinstance(inner, dict):
            out.update(inner)
        else:
            out["#text" if key == "#text" else key.lstrip("@-")] = inner
    return out


def _attributes(out: dict[str, Field], attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if name == "SystemTime":
            _put(out, name, read_time(value))
        elif name != "xmlns":
            _put(out, name, _braced(value))


def read_own(part: Any) -> dict[str, Field]:
    """EventData or UserData as an object: values by name, or a list of Data with their names.

    >>> read_own({"Data": [{"@Name": "Image", "#text": "x"}, {"@Name": "User"}, "y"]})
    {'Image': 'x', 'Data': ['y']}
    >>> read_own({"Data": {"Image": "x"}}), read_own({"LogFileCleared": {"SubjectUserName": "ann"}})
    ({'Image': 'x'}, {'SubjectUserName': 'ann'})
    """
    out: dict[str, Field] = {}
    if isinstance(part, list):
        _data(out, part)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key.startswith(("@", "#")) or key in ("xmlns", "xml_name"):
                continue
            if key.lower() == "data" and isinstance(value, list):
                _data(out, value)
            elif isinstance(value, dict):
                if _name_in(value):
                    _data(out, [value])
                elif isinstance(value.get("#text"), list):
                    _data(out, value["#text"])
                elif (text := _text(value)) is not None and key.lower() != "data":
                    _put(out, key, text)
                else:
                    for name, inner in read_own(value).items():
                        out.setdefault(name, inner)
            elif isinstance(value, list):
                texts = [text for text in map(_text, value) if text]
                if texts:
                    out.setdefault(key, texts if len(texts) > 1 else texts[0])
            else:
                _put(out, key, _text(value))
    return out


def _name_in(value: Mapping[str, Any]) -> str | None:
    name = _at(value, ("#attributes", "Name")) or value.get("@Name") or value.get("-Name")
    return name or (value.get("Name") if len(value) <= 2 else None)


def _data(out: dict[str, Field], values: list[Any]) -> None:
    for value in values:
        if isinstance(value, dict):
            name = _name_in(value)
            if name:
                _put(out, str(name), _text(value))
            elif len(value) == 1 and _text(value) is None:
                for key, inner in value.items():
                    _put(out, key, _text(inner))
            else:
                _unnamed(out, _text(value))
        else:
            _unnamed(out, _text(value))


def _unnamed(out: dict[str, Field], text: str | None) -> None:
    if text:
        held = out.setdefault("Data", [])
        if isinstance(held, list):
            held.append(text)


def _element(value: Mapping[str, Any]) -> Turned | None:
    """The event's element as an object: ``{"System": ..., "EventData": ...}``."""
    event = value.get("Event", value)
    if not isinstance(event, dict) or not isinstance(event.get("System"), dict):
        return None
    turned = WindowsEvent(system=_system(event["System"]))
    for part in ("EventData", "UserData", "ProcessingErrorData"):
        turned.own.update(
            {k: v for k, v in read_own(event.get(part)).items() if k not in turned.own}
        )
    _keep(turned, value, {"Event", "System", "EventData", "UserData", "Message"})
    message = event.get("Message", _at(event, ("RenderingInfo", "Message")))
    _put(turned.rest, "Message", _text(message))
    return turned


def _keep(turned: WindowsEvent, value: Mapping[str, Any], without: set[str]) -> None:
    rest = {key: inner for key, inner in value.items() if key not in without}
    for path, leaf in walk_leaves(rest):
        turned.rest.setdefault(".".join(path), leaf)


def _evtxecmd(value: Mapping[str, Any]) -> Turned | None:
    """Eric Zimmerman's EvtxECmd, as JSON or as a line of its CSV: ``Payload`` is JSON itself."""
    payload = value.get("Payload")
    try:
        inner = orjson.loads(payload) if isinstance(payload, str) else payload
    except orjson.JSONDecodeError:
        inner = None
    turned = _named(value, _EVTXECMD)
    if isinstance(inner, dict):
        for part in ("EventData", "UserData"):
            turned.own.update(read_own(inner.get(part)))
    turned.rest.pop("Payload", None)
    return turned


def _named(value: Mapping[str, Any], names: Mapping[str, str]) -> WindowsEvent:
    """An object whose keys are System fields by other names; the rest is the shipper's."""
    turned = WindowsEvent()
    for key, name in names.items():
        inner = value.get(key)
        if name == "SystemTime":
            _put(turned.system, name, read_time(inner))
        elif name == "Keywords":
            _put(turned.system, name, _keywords(inner))
        elif name == "Level":
            level = _text(inner)
            _put(turned.system, name, _LEVELS.get((level or "").lower(), level))
        else:
            _put(turned.system, name, _braced(inner))
    _keep(turned, value, set(names))
    return turned


_LEVELS = {
    "logalways": "0", "critical": "1", "error": "2", "warning": "3", "info": "4",
    "information": "4", "informational": "4", "verbose": "5",
}  # fmt: skip
_EVTXECMD = {
    "EventId": "EventID",
    "Channel": "Channel",
    "Provider": "Name",
    "Computer": "Computer",
    "EventRecordId": "EventRecordID",
    "ProcessId": "ProcessID",
    "ThreadId": "ThreadID",
    "UserId": "UserID",
    "TimeCreated": "SystemTime",
    "Level": "Level",
    "Keywords": "Keywords",
}
_OLD_BEAT = {
    "event_id": "EventID",
    "log_name": "Channel",
    "source_name": "Name",
    "provider_guid": "Guid",
    "computer_name": "Computer",
    "record_number": "EventRecordID",
    "process_id": "ProcessID",
    "thread_id": "ThreadID",
    "version": "Version",
    "@timestamp": "SystemTime",
    "activity_id": "ActivityID",
}


def _old_beat(value: Mapping[str, Any]) -> Turned | None:
    """Winlogbeat 5 and 6: the fields that version 7 moved below ``winlog`` (its release notes)."""
    turned = _named(value, _OLD_BEAT)
    for part in ("event_data", "user_data"):
        turned.own.update(read_own(value.get(part)))
        for name in [n for n in turned.rest if n.startswith(f"{part}.")]:
            del turned.rest[name]
    _put(turned.system, "UserID", _text(_at(value, ("user", "identifier"))))
    _levels(turned, value)
    _message(turned, value, "message")
    return turned


def _levels(turned: WindowsEvent, value: Mapping[str, Any]) -> None:
    """Level, opcode and keywords that are given by their English words."""
    words = value.get("keywords")
    audit = [_AUDIT[w] for w in words or () if w in _AUDIT] if isinstance(words, list) else []
    if audit:
        turned.system.setdefault("Keywords", audit[0])
    elif turned.system.get("Name") == "Microsoft-Windows-Sysmon":
        turned.system.setdefault("Keywords", "0x8000000000000000")
        turned.system.setdefault("Task", turned.system.get("EventID", ""))
    level = _text(value.get("level"))
    _put(turned.system, "Level", "0" if audit else _LEVELS.get((level or "").lower(), level))
    opcode = _text(value.get("opcode"))
    _put(turned.system, "Opcode", {"Info": "0", "Start": "1", "Stop": "2"}.get(opcode or ""))


def _message(turned: WindowsEvent, value: Mapping[str, Any], key: str) -> None:
    """The rendered message; its labels give the fields where the event brought none."""
    message = value.get(key)
    if isinstance(message, str) and message:
        turned.rest.pop(key, None)
        turned.rest["Message"] = message
        if not turned.own:
            read_message(turned, message.replace("\r\n", "\n"))


_OTEL = {
    "channel": "Channel",
    "computer": "Computer",
    "event_id": "EventID",
    "record_id": "EventRecordID",
    "system_time": "SystemTime",
    "version": "Version",
}


def _otel(value: Mapping[str, Any]) -> Turned | None:
    """OpenTelemetry's windowseventlog receiver: the record's body as a map."""
    turned = _named(value, _OTEL)
    provider, execution = value.get("provider"), value.get("execution")
    if isinstance(provider, dict):
        _put(turned.system, "Name", _text(provider.get("name")))
        _put(turned.system, "Guid", _braced(provider.get("guid")))
    if isinstance(execution, dict):
        _put(turned.system, "ProcessID", _text(execution.get("process_id")))
        _put(turned.system, "ThreadID", _text(execution.get("thread_id")))
    _put(turned.system, "UserID", _text(_at(value, ("security", "user_id"))))
    turned.own.update(read_own(value.get("event_data")))
    turned.own.update(read_own(value.get("user_data")))
    for name in [n for n in turned.rest if n.startswith(("event_data", "user_data"))]:
        del turned.rest[name]
    _levels(turned, value)
    _message(turned, value, "message")
    return turned


def _otlp(value: Mapping[str, Any]) -> Turned | None:
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


_WAZUH = {
    "providerName": "Name", "providerGuid": "Guid", "eventSourceName": "EventSourceName",
    "eventID": "EventID", "version": "Version", "level": "Level", "task": "Task",
    "opcode": "Opcode", "keywords": "Keywords", "systemTime": "SystemTime",
    "eventRecordID": "EventRecordID", "processID": "ProcessID", "threadID": "ThreadID",
    "channel": "Channel", "computer": "Computer", "userID": "UserID",
}  # fmt: skip


def _wazuh(value: Mapping[str, Any]) -> Turned | None:
    """Wazuh's decoder of event channels: names begin with a small letter, and in some versions
    backslashes are doubled."""
    win = value["win"]
    turned = _named(win["system"], _WAZUH)
    own = {f"{k[:1].upper()}{k[1:]}": v for k, v in read_own(win.get("eventdata")).items()}
    if any(isinstance(v, str) and _DOUBLED.match(v) for v in own.values()):
        own = {k: v.replace("\\\\", "\\") if isinstance(v, str) else v for k, v in own.items()}
    turned.own.update(own)
    message = turned.rest.pop("message", None)
    if isinstance(message, str):
        turned.rest["Message"] = message.strip('"')
    return turned


_GET_WINEVENT = {
    "Id": "EventID", "LogName": "Channel", "ProviderName": "Name", "ProviderId": "Guid",
    "MachineName": "Computer", "RecordId": "EventRecordID", "ProcessId": "ProcessID",
    "ThreadId": "ThreadID", "Version": "Version", "Level": "Level", "Task": "Task",
    "Opcode": "Opcode", "Keywords": "Keywords", "TimeCreated": "SystemTime", "UserId": "UserID",
    "ActivityId": "ActivityID", "RelatedActivityId": "RelatedActivityID",
}  # fmt: skip


def _get_winevent(value: Mapping[str, Any]) -> Turned | None:
    """PowerShell's Get-WinEvent through ConvertTo-Json: values by position, or the message."""
    turned = _named(value, _GET_WINEVENT)
    for name in [n for n in turned.rest if n.startswith("Properties")]:
        del turned.rest[name]
    properties = value.get("Properties")
    if isinstance(properties, list):
        values = [_text(p) or "" for p in properties]
        _by_position(turned, values)
    _message(turned, value, "Message")
    return turned


def _by_position(turned: WindowsEvent, values: list[str]) -> None:
    name, event_id = turned.system.get("Name", ""), turned.system.get("EventID", "")
    named = name_values(str(name), str(event_id), values)
    if named is None:
        turned.rest["StringInserts{}"] = values
    else:
        turned.own.update({k: v for k, v in named.items() if v})


_FLUENT_BIT = {
    "ProviderName": "Name", "SourceName": "Name", "ProviderGuid": "Guid", "EventID": "EventID",
    "Qualifiers": "Qualifiers", "Version": "Version", "Level": "Level", "Task": "Task",
    "Opcode": "Opcode", "Keywords": "Keywords", "TimeCreated": "SystemTime",
    "TimeGenerated": "SystemTime", "EventRecordID": "EventRecordID",
    "RecordNumber": "EventRecordID", "ActivityID": "ActivityID",
    "RelatedActivityID": "RelatedActivityID", "ProcessID": "ProcessID", "ThreadID": "ThreadID",
    "Channel": "Channel", "Computer": "Computer", "ComputerName": "Computer", "UserID": "UserID",
    "Sid": "UserID",
}  # fmt: skip


def _fluent_bit(value: Mapping[str, Any]) -> Turned | None:
    """Fluent Bit's winlog and winevtlog: ``StringInserts`` are the values by position."""
    turned = _named(value, _FLUENT_BIT)
    turned.rest.pop("StringInserts{}", None)
    inserts = value.get("StringInserts")
    if isinstance(inserts, list):
        _by_position(turned, [_text(v) or "" for v in inserts])
    _message(turned, value, "Message")
    return turned


def _elastic_fields(value: Mapping[str, Any]) -> Turned | None:
    """Elasticsearch's ``fields``: dotted keys, each with an array."""
    inner = value["fields"]
    flat = {
        key: v[0] if isinstance(v, list) and len(v) == 1 and key != "winlog.keywords" else v
        for key, v in inner.items()
        if not key.endswith((".keyword", ".text"))
    }
    return _nested(flat)


def _dotted(value: Mapping[str, Any]) -> Turned | None:
    return _nested(value)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as objects in objects."""
    out: dict[str, Any] = {}
    for key, value in flat.items():
        node = out
        *above, last = key.split(".")
        for part in above:
            below = node.get(part)
            if not isinstance(below, dict):
                below = node[part] = {}
            node = below
        node[last] = value
    return out


_AZURE_EVENT = {
    "EventID": "EventID", "EventLog": "Channel", "Source": "Name", "Computer": "Computer",
    "TimeGenerated": "SystemTime",
}  # fmt: skip


def _azure_event(value: Mapping[str, Any]) -> Turned | None:
    """Log Analytics' table Event: ``EventData`` is the XML of that part."""
    turned = _named(value, _AZURE_EVENT)
    data = turned.rest.pop("EventData", None)
    if isinstance(data, str) and data.lstrip().startswith("<"):
        try:
            inner = re.sub(r"^<DataItem[^>]*>|</DataItem>$", "", data.strip())
            turned.own.update(read_event_fields(f"<Event><System/>{inner}</Event>"))
        except NotAnEventError:
            turned.rest["EventData"] = data
    _message(turned, value, "RenderedDescription")
    return turned


def _defender(value: Mapping[str, Any]) -> Turned | None:
    """Microsoft Defender's streaming API: the table's row is in ``properties``."""
    inner = value["properties"]
    return {**{k: v for k, v in value.items() if k != "properties"}, **inner}


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
        _element,
    ),
    Shape("evtxecmd", ((("EventId",), ("Channel",), ("Payload",)),), _evtxecmd),
    Shape("winlogbeat_6", ((("event_id",), ("log_name",)),), _old_beat),
    Shape("otel", ((("channel",), ("event_id",), ("provider",)),), _otel),
    Shape("otlp", ((("body", "kvlistValue"),), (("body", "stringValue"),)), _otlp),
    Shape("wazuh", ((("win", "system"),),), _wazuh),
    Shape("get_winevent", ((("Id",), ("LogName",), ("ProviderName",)),), _get_winevent),
    Shape(
        "fluent_bit",
        (
            (("StringInserts",), ("EventID",)),
            # NXLog has a ProviderName of some events' own, but no Computer beside it.
            (("ProviderName",), ("EventID",), ("Channel",), ("Computer",), ("EventRecordID",)),
        ),
        _fluent_bit,
    ),
    Shape("elastic_fields", ((("fields", "winlog.event_id"),),), _elastic_fields),
    Shape("dotted", ((("winlog.event_id",),),), _dotted),
    Shape("azure_event", ((("EventLog",), ("EventID",), ("Source",)),), _azure_event),
    Shape("defender", ((("properties", "ActionType"),),), _defender),
)
"""Tried in this order, before the shapes that are read by columns."""


def hint_paths() -> Iterator[tuple[Path, ...]]:
    """The keys of all shapes, for a look at many objects at once."""
    for shape in SHAPES:
        yield from shape.marks
