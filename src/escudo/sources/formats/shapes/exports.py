"""An object that a tool or a store of logs exports (EvtxECmd, Get-WinEvent, Elasticsearch, Log
Analytics, Defender) -> the event; ``json_shapes`` calls it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from escudo.sources.formats.classic_text import WindowsEvent
from escudo.sources.formats.shapes.element import read_own
from escudo.sources.formats.shapes.renamed import name_positions, read_renamed, take_message
from escudo.sources.formats.shapes.values import read_text
from escudo.sources.formats.xml_element import NotAnEventError, read_event_fields

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


def read_evtxecmd(value: Mapping[str, Any]) -> WindowsEvent:
    """Eric Zimmerman's EvtxECmd, as JSON or as a line of its CSV: ``Payload`` is JSON itself."""
    payload = value.get("Payload")
    try:
        inner = orjson.loads(payload) if isinstance(payload, str) else payload
    except orjson.JSONDecodeError:
        inner = None
    turned = read_renamed(value, _EVTXECMD)
    if isinstance(inner, dict):
        for part in ("EventData", "UserData"):
            turned.own.update(read_own(inner.get(part)))
    turned.rest.pop("Payload", None)
    return turned


_GET_WINEVENT = {
    "Id": "EventID", "LogName": "Channel", "ProviderName": "Name", "ProviderId": "Guid",
    "MachineName": "Computer", "RecordId": "EventRecordID", "ProcessId": "ProcessID",
    "ThreadId": "ThreadID", "Version": "Version", "Level": "Level", "Task": "Task",
    "Opcode": "Opcode", "Keywords": "Keywords", "TimeCreated": "SystemTime", "UserId": "UserID",
    "ActivityId": "ActivityID", "RelatedActivityId": "RelatedActivityID",
}  # fmt: skip


def read_get_winevent(value: Mapping[str, Any]) -> WindowsEvent:
    """PowerShell's Get-WinEvent through ConvertTo-Json: values by position, or the message."""
    turned = read_renamed(value, _GET_WINEVENT)
    for name in [n for n in turned.rest if n.startswith("Properties")]:
        del turned.rest[name]
    properties = value.get("Properties")
    if isinstance(properties, list):
        values = [read_text(p) or "" for p in properties]
        name_positions(turned, values)
    take_message(turned, value, "Message")
    return turned


def read_elastic_fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """Elasticsearch's ``fields``: dotted keys, each with an array."""
    inner = value["fields"]
    flat = {
        key: v[0] if isinstance(v, list) and len(v) == 1 and key != "winlog.keywords" else v
        for key, v in inner.items()
        if not key.endswith((".keyword", ".text"))
    }
    return nest_dotted(flat)


def nest_dotted(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as objects in objects.

    >>> nest_dotted({"winlog.event_id": 1, "winlog.channel": "Security"})
    {'winlog': {'event_id': 1, 'channel': 'Security'}}
    """
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


def read_azure_event(value: Mapping[str, Any]) -> WindowsEvent:
    """Log Analytics' table Event: ``EventData`` is the XML of that part."""
    turned = read_renamed(value, _AZURE_EVENT)
    data = turned.rest.pop("EventData", None)
    if isinstance(data, str) and data.lstrip().startswith("<"):
        try:
            inner = re.sub(r"^<DataItem[^>]*>|</DataItem>$", "", data.strip())
            turned.own.update(read_event_fields(f"<Event><System/>{inner}</Event>"))
        except NotAnEventError:
            turned.rest["EventData"] = data
    take_message(turned, value, "RenderedDescription")
    return turned


def read_defender(value: Mapping[str, Any]) -> dict[str, Any]:
    """Microsoft Defender's streaming API: the table's row is in ``properties``."""
    inner = value["properties"]
    return {**{k: v for k, v in value.items() if k != "properties"}, **inner}
