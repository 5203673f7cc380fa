"""The JSON shapes in which shippers write Windows events, to the fields of the event itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from escudo.sources.formats.xml_element import Field, NotAnEventError, event_fields

_EVTX_SYSTEM_ATTRIBUTES = ("Provider", "TimeCreated", "Correlation", "Execution", "Security")


def canonical(event: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of a JSON event; a Windows event has those that its XML would give.

    >>> canonical({"Channel": "Security", "EventID": 1, "Hostname": "h", "SourceName": "p"})
    {'Channel': 'Security', 'EventID': '1', 'Computer': 'h', 'Name': 'p'}
    """
    for holds, convert in _FORMS:
        if holds(event):
            return convert(event)
    return flatten(event)


def flatten(event: Mapping[str, Any]) -> dict[str, Field]:
    """Any JSON object as Splunk names its fields: ``a.b`` for objects, ``a{}`` for arrays.

    >>> flatten({"a": {"b": 1}, "c": [1, {"d": "x"}], "e": None, "f": True})
    {'a.b': '1', 'c{}': ['1'], 'c{}.d': ['x'], 'f': 'true'}
    """
    out: dict[str, Field] = {}
    _walk("", event, out, inside_array=False)
    return out


def _walk(path: str, value: Any, out: dict[str, Field], *, inside_array: bool) -> None:
    if isinstance(value, dict):
        for key, below in value.items():
            _walk(f"{path}.{key}" if path else key, below, out, inside_array=inside_array)
    elif isinstance(value, list):
        for below in value:
            _walk(f"{path}{{}}", below, out, inside_array=True)
    elif (text := _text(value)) != "":
        if inside_array:
            values = out.setdefault(path, [])
            assert isinstance(values, list)
            values.append(text)
        else:
            out[path] = text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


_FLAT_NAMES = {
    "Hostname": "Computer",
    "SourceName": "Name",
    "EventSourceName": "Name",
    "Provider": "Name",
    "ProviderGuid": "Guid",
    "RecordNumber": "EventRecordID",
    "ExecutionProcessID": "ProcessID",
    "OpcodeValue": "Opcode",
}


def _is_flat(event: Mapping[str, Any]) -> bool:
    return "EventID" in event and "Channel" in event and not isinstance(event.get("System"), dict)


def _flat(event: Mapping[str, Any]) -> dict[str, Field]:
    """NXLog's im_msvistalog, and exports of the same flat kind."""
    out: dict[str, Field] = {}
    named = {_FLAT_NAMES[k] for k in event if k in _FLAT_NAMES}
    for key, value in event.items():
        name = _FLAT_NAMES.get(key, key)
        if name == key and key in named:
            name = f"{'Nxlog'}.{key}"
        if isinstance(value, (dict, list)):
            _walk(name, value, out, inside_array=False)
        elif key == "Keywords" and isinstance(value, int):
            out[name] = f"0x{value & 0xFFFFFFFFFFFFFFFF:x}"
        elif text := _text(value):
            out[name] = text
    if time := _flat_time(event):
        out["SystemTime"] = time
    return out


def _flat_time(event: Mapping[str, Any]) -> str | None:
    """UTC from NXLog's local EventTime, by what Logstash and NXLog say of the time of receipt."""
    if "EventTime" not in event:
        created = event.get("TimeCreated")
        return str(created) if created else event.get("@timestamp")
    try:
        local = datetime.fromisoformat(str(event["EventTime"]))
        if local.tzinfo is None:
            received = datetime.fromisoformat(str(event["EventReceivedTime"]))
            known = datetime.fromisoformat(str(event["@timestamp"])).replace(tzinfo=None)
            quarters = round((received - known).total_seconds() / 900)
            local = (local - timedelta(minutes=15 * quarters)).replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return str(event["EventTime"])
    return f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def _is_evtx_dump(event: Mapping[str, Any]) -> bool:
    inner = event.get("Event")
    return isinstance(inner, dict) and isinstance(inner.get("System"), dict)


def _evtx_dump(event: Mapping[str, Any]) -> dict[str, Field]:
    inner = event["Event"]
    out: dict[str, Field] = {}
    for name, value in inner["System"].items():
        if isinstance(value, dict):
            for attribute, text in (value.get("#attributes") or {}).items():
                out[attribute] = _text(text)
            if "#text" in value:
                out[name] = _text(value["#text"])
        elif text := _text(value):
            out[name] = text
    for part in ("EventData", "UserData"):
        _walk_evtx(inner.get(part), out)
    return {k: v for k, v in out.items() if v != ""}


def _walk_evtx(part: Any, out: dict[str, Field]) -> None:
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if name == "#attributes":
            continue
        if name == "Data":
            inner = value.get("#text") if isinstance(value, dict) else value
            texts = [_text(v) for v in (inner if isinstance(inner, list) else [inner])]
            out["Data"] = [t for t in texts if t]
        elif isinstance(value, dict) and "#text" in value:
            out[name] = _text(value["#text"])
        elif isinstance(value, dict):
            _walk_evtx(value, out)
        elif text := _text(value):
            out[name] = text


def _is_winlogbeat(event: Mapping[str, Any]) -> bool:
    return isinstance(event.get("winlog"), dict)


def _winlogbeat(event: Mapping[str, Any]) -> dict[str, Field]:
    original = event.get("event", {}).get("original")
    if isinstance(original, str) and original.lstrip().startswith("<Event"):
        try:
            return event_fields(original)
        except NotAnEventError:
            pass
    log = event["winlog"]
    process = log.get("process") or {}
    found = {
        "EventID": log.get("event_id"),
        "Version": log.get("version"),
        "EventRecordID": log.get("record_id"),
        "Channel": log.get("channel"),
        "Computer": log.get("computer_name"),
        "Name": log.get("provider_name"),
        "Guid": log.get("provider_guid"),
        "ProcessID": process.get("pid"),
        "ThreadID": (process.get("thread") or {}).get("id"),
        "UserID": (log.get("user") or {}).get("identifier"),
        "SystemTime": event.get("@timestamp"),
        "Message": event.get("message"),
        **(log.get("event_data") or {}),
        **(log.get("user_data") or {}),
    }
    return {k: _text(v) for k, v in found.items() if _text(v)}


_FORMS: tuple[
    tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], dict[str, Field]]], ...
] = (
    (_is_flat, _flat),
    (_is_evtx_dump, _evtx_dump),
    (_is_winlogbeat, _winlogbeat),
)
