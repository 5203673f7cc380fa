"""An object of a log shipper (Winlogbeat 5 and 6, OpenTelemetry, Wazuh, Fluent Bit) -> the event;
``json_shapes`` calls it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from escudo.sources.formats.classic_text import WindowsEvent
from escudo.sources.formats.shapes.element import read_own
from escudo.sources.formats.shapes.renamed import (
    name_positions,
    read_levels,
    read_renamed,
    take_message,
)
from escudo.sources.formats.shapes.values import look_up, put_value, read_guid, read_text

_DOUBLED = re.compile(r"^[A-Za-z]:\\\\")
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


def read_old_beat(value: Mapping[str, Any]) -> WindowsEvent:
    """Winlogbeat 5 and 6: the fields that version 7 moved below ``winlog`` (its release notes)."""
    turned = read_renamed(value, _OLD_BEAT)
    for part in ("event_data", "user_data"):
        turned.own.update(read_own(value.get(part)))
        for name in [n for n in turned.rest if n.startswith(f"{part}.")]:
            del turned.rest[name]
    put_value(turned.system, "UserID", read_text(look_up(value, ("user", "identifier"))))
    read_levels(turned, value)
    take_message(turned, value, "message")
    return turned


_OTEL = {
    "channel": "Channel",
    "computer": "Computer",
    "event_id": "EventID",
    "record_id": "EventRecordID",
    "system_time": "SystemTime",
    "version": "Version",
}


def read_otel(value: Mapping[str, Any]) -> WindowsEvent:
    """OpenTelemetry's windowseventlog receiver: the record's body as a map."""
    turned = read_renamed(value, _OTEL)
    provider, execution = value.get("provider"), value.get("execution")
    if isinstance(provider, dict):
        put_value(turned.system, "Name", read_text(provider.get("name")))
        put_value(turned.system, "Guid", read_guid(provider.get("guid")))
    if isinstance(execution, dict):
        put_value(turned.system, "ProcessID", read_text(execution.get("process_id")))
        put_value(turned.system, "ThreadID", read_text(execution.get("thread_id")))
    put_value(turned.system, "UserID", read_text(look_up(value, ("security", "user_id"))))
    turned.own.update(read_own(value.get("event_data")))
    turned.own.update(read_own(value.get("user_data")))
    for name in [n for n in turned.rest if n.startswith(("event_data", "user_data"))]:
        del turned.rest[name]
    read_levels(turned, value)
    take_message(turned, value, "message")
    return turned


_WAZUH = {
    "providerName": "Name", "providerGuid": "Guid", "eventSourceName": "EventSourceName",
    "eventID": "EventID", "version": "Version", "level": "Level", "task": "Task",
    "opcode": "Opcode", "keywords": "Keywords", "systemTime": "SystemTime",
    "eventRecordID": "EventRecordID", "processID": "ProcessID", "threadID": "ThreadID",
    "channel": "Channel", "computer": "Computer", "userID": "UserID",
}  # fmt: skip


def read_wazuh(value: Mapping[str, Any]) -> WindowsEvent:
    """Wazuh's decoder of event channels: names begin with a small letter, and in some versions
    backslashes are doubled."""
    win = value["win"]
    turned = read_renamed(win["system"], _WAZUH)
    own = {f"{k[:1].upper()}{k[1:]}": v for k, v in read_own(win.get("eventdata")).items()}
    if any(isinstance(v, str) and _DOUBLED.match(v) for v in own.values()):
        own = {k: v.replace("\\\\", "\\") if isinstance(v, str) else v for k, v in own.items()}
    turned.own.update(own)
    message = turned.rest.pop("message", None)
    if isinstance(message, str):
        turned.rest["Message"] = message.strip('"')
    return turned


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


def read_fluent_bit(value: Mapping[str, Any]) -> WindowsEvent:
    """Fluent Bit's winlog and winevtlog: ``StringInserts`` are the values by position."""
    turned = read_renamed(value, _FLUENT_BIT)
    turned.rest.pop("StringInserts{}", None)
    inserts = value.get("StringInserts")
    if isinstance(inserts, list):
        name_positions(turned, [read_text(v) or "" for v in inserts])
    take_message(turned, value, "Message")
    return turned
