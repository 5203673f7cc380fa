"""One Sysmon process in the shapes that Windows events have, for readers and the hunt."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

COMMAND = "cmd.exe /c net user > \\\\10.0.0.9\\C$\\Windows\\Temp\\o"
SYSTEM = {
    "EventID": "1",
    "Version": "5",
    "Level": "4",
    "Task": "1",
    "Opcode": "0",
    "EventRecordID": "9001",
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Computer": "srv7.corp.example",
}
TIME = "2024-06-01T08:09:10.000Z"
EPOCH_MS = 1717229350000
PROVIDER = "Microsoft-Windows-Sysmon"
OWN = {
    "RuleName": "-",
    "UtcTime": "2024-06-01 08:09:10.000",
    "ProcessGuid": "{0F0F0F0F-0001-0002-0003-000000000001}",
    "ProcessId": "3120",
    "Image": "C:\\Windows\\System32\\cmd.exe",
    "FileVersion": "10.0.1",
    "Description": "Windows Command Processor",
    "Product": "Windows",
    "Company": "Microsoft Corporation",
    "OriginalFileName": "Cmd.Exe",
    "CommandLine": COMMAND,
    "CurrentDirectory": "C:\\Temp\\",
    "User": "CORP\\ida",
    "LogonGuid": "{0F0F0F0F-0001-0002-0003-000000000009}",
    "LogonId": "0x5f1",
    "TerminalSessionId": "1",
    "IntegrityLevel": "High",
    "Hashes": "SHA1=1F,MD5=2E,SHA256=3D,IMPHASH=4C",
    "ParentProcessGuid": "{0F0F0F0F-0001-0002-0003-000000000002}",
    "ParentProcessId": "644",
    "ParentImage": "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
    "ParentCommandLine": "C:\\Windows\\System32\\wbem\\wmiprvse.exe -Embedding",
    "ParentUser": "NT AUTHORITY\\NETWORK SERVICE",
}
SHOWN = (
    "Image", "CommandLine", "User", "Hashes", "ProcessId", "ProcessGuid", "ParentImage",
    "ParentCommandLine", "ParentProcessId", "CurrentDirectory", "OriginalFileName",
)  # fmt: skip


def as_xml() -> str:
    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    system = "".join(f"<{name}>{value}</{name}>" for name, value in SYSTEM.items())
    data = "".join(f'<Data Name="{name}">{escape(value)}</Data>' for name, value in OWN.items())
    return (
        f'<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        f'<Provider Name="{PROVIDER}"/>{system}<TimeCreated SystemTime="{TIME}"/></System>'
        f"<EventData>{data}</EventData></Event>"
    )


def velociraptor() -> Any:
    system = {**SYSTEM, "EventID": {"Value": 1}, "Provider": {"Name": PROVIDER}}
    return {
        "System": {**system, "TimeCreated": {"SystemTime": EPOCH_MS / 1000}},
        "EventData": {**OWN, "ProcessId": 3120, "ParentProcessId": 644},
    }


def xmltodict() -> Any:
    data = [{"@Name": name, "#text": value} for name, value in OWN.items()]
    system = {**SYSTEM, "Provider": {"@Name": PROVIDER}, "TimeCreated": {"@SystemTime": TIME}}
    return {"Event": {"@xmlns": "x", "System": system, "EventData": {"Data": data}}}


def evtxecmd() -> dict[str, Any]:
    data = [{"@Name": name, "#text": value} for name, value in OWN.items()]
    return {
        "EventRecordId": "9001",
        "TimeCreated": "2024-06-01 08:09:10.0000000",
        "EventId": 1,
        "Level": "Info",
        "Provider": PROVIDER,
        "Channel": SYSTEM["Channel"],
        "Computer": SYSTEM["Computer"],
        "Keywords": "Classic",
        "Payload": json.dumps({"EventData": {"Data": data}}),
    }


def winlogbeat_6() -> Any:
    return {
        "@timestamp": TIME,
        "event_id": 1,
        "log_name": SYSTEM["Channel"],
        "source_name": PROVIDER,
        "computer_name": SYSTEM["Computer"],
        "record_number": "9001",
        "level": "Information",
        "event_data": OWN,
    }


def winlog() -> dict[str, Any]:
    return {
        "event_id": "1",
        "channel": SYSTEM["Channel"],
        "provider_name": PROVIDER,
        "computer_name": SYSTEM["Computer"],
    }


def winlogbeat_module() -> Any:
    """The Sysmon module: everything that ECS has a place for has been moved."""
    kept = ("LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel", "ParentUser")
    return {
        "@timestamp": TIME,
        "user": {"domain": "CORP", "name": "ida"},
        "process": {
            "entity_id": OWN["ProcessGuid"],
            "pid": 3120,
            "executable": OWN["Image"],
            "command_line": COMMAND,
            "working_directory": OWN["CurrentDirectory"],
            "hash": {"sha1": "1f", "md5": "2e", "sha256": "3d"},
            "pe": {"original_file_name": "Cmd.Exe", "imphash": "4c"},
            "parent": {
                "entity_id": OWN["ParentProcessGuid"],
                "pid": 644,
                "executable": OWN["ParentImage"],
                "command_line": OWN["ParentCommandLine"],
            },
        },
        "winlog": {**winlog(), "event_data": {name: OWN[name] for name in kept}},
    }


def elastic_fields() -> Any:
    fields = {f"winlog.{name}": [value] for name, value in winlog().items()}
    fields |= {f"winlog.event_data.{name}": [value] for name, value in OWN.items()}
    hit = {"_index": "logs", "_id": "1", "fields": {**fields, "@timestamp": [TIME]}}
    return {"took": 1, "hits": {"total": {"value": 1}, "hits": [hit]}}


def otel() -> dict[str, Any]:
    return {
        "channel": SYSTEM["Channel"],
        "computer": SYSTEM["Computer"],
        "event_id": {"id": 1, "qualifiers": 0},
        "provider": {"name": PROVIDER, "guid": ""},
        "record_id": 9001,
        "system_time": TIME,
        "level": "Information",
        "event_data": {"data": [{name: value} for name, value in OWN.items()]},
    }


def otlp() -> Any:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                "kvlistValue": {"values": [{"key": k, "value": plain(v)} for k, v in value.items()]}
            }
        if isinstance(value, list):
            return {"arrayValue": {"values": [plain(v) for v in value]}}
        return {"stringValue": str(value)}

    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": plain(otel())}]}]}]}


def wazuh() -> Any:
    def small(text: str) -> str:
        return text[0].lower() + text[1:]

    system = {
        "providerName": PROVIDER,
        "eventID": "1",
        "systemTime": TIME,
        "channel": SYSTEM["Channel"],
        "computer": SYSTEM["Computer"],
    }
    own = {small(name): value.replace("\\", "\\\\") for name, value in OWN.items()}
    return {"agent": {"name": "srv7"}, "data": {"win": {"system": system, "eventdata": own}}}


def get_winevent() -> Any:
    return {
        "Id": 1,
        "LogName": SYSTEM["Channel"],
        "ProviderName": PROVIDER,
        "MachineName": SYSTEM["Computer"],
        "TimeCreated": f"/Date({EPOCH_MS})/",
        "RecordId": 9001,
        "Properties": [{"Value": value} for value in OWN.values()],
        "Message": "Process Create:",
    }


def get_winevent_message() -> Any:
    message = "\r\n".join(["Process Create:", *(f"{k}: {v}" for k, v in OWN.items())])
    return {**get_winevent(), "Properties": [], "Message": message}


def fluent_bit() -> Any:
    return {
        "ProviderName": PROVIDER,
        "EventID": 1,
        "TimeCreated": "2024-06-01 10:09:10 +0200",
        "Channel": SYSTEM["Channel"],
        "Computer": SYSTEM["Computer"],
        "StringInserts": list(OWN.values()),
    }


def log_analytics() -> Any:
    row = {"TimeGenerated": TIME, **SYSTEM, "Provider": PROVIDER, **OWN}
    columns = [{"name": name, "type": "string"} for name in row]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [list(row.values())]}]}


def csv_text(row: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(row))
    writer.writeheader()
    writer.writerow(row)
    return out.getvalue()


def classic_text() -> str:
    message = "\n".join(["Process Create:", *(f"{k}: {v}" for k, v in OWN.items())])
    return (
        f"06/01/2024 08:09:10.000 AM\nLogName={SYSTEM['Channel']}\nEventCode=1\nEventType=4\n"
        f"ComputerName={SYSTEM['Computer']}\nUser=SYSTEM\nSourceName={PROVIDER}\n"
        f"Type=Information\nRecordNumber=9001\nMessage={message}\n"
    )


SHAPES: dict[str, Callable[[], Any]] = {
    "xml": as_xml,
    "velociraptor": velociraptor,
    "xmltodict": xmltodict,
    "evtxecmd": evtxecmd,
    "evtxecmd CSV": lambda: csv_text(evtxecmd()),
    "winlogbeat 6": winlogbeat_6,
    "winlogbeat module": winlogbeat_module,
    "elastic fields": elastic_fields,
    "otel": lambda: {"body": otel()},
    "otlp": otlp,
    "otel XML": lambda: {
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": as_xml()}}]}]}]
    },
    "wazuh": wazuh,
    "get-winevent": get_winevent,
    "get-winevent message": get_winevent_message,
    "fluent bit": fluent_bit,
    "fluent bit XML": lambda: {"System": as_xml(), "Message": "x", "StringInserts": []},
    "log analytics": log_analytics,
    "splunk CSV": lambda: csv_text({"_time": TIME, "host": "h", "_raw": as_xml()}),
    "splunk REST": lambda: {"preview": False, "results": [{"_raw": as_xml(), "_time": TIME}]},
    "journald": lambda: {"MESSAGE": as_xml(), "PRIORITY": "6"},
    "event.original": lambda: {"event": {"original": as_xml()}, "x": 1},
    "JSON in text": lambda: {"log": {"line": json.dumps(xmltodict())}, "stream": "stdout"},
    "classic text": classic_text,
    "classic in JSON": lambda: {"result": {"_raw": classic_text(), "_time": TIME}},
}


def shaped(name: str) -> bytes:
    """A file of the one event in a shape."""
    made = SHAPES[name]()
    text = made if isinstance(made, str) else json.dumps(made)
    return text.encode() + b"\n"
