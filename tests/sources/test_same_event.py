"""One event gives one row, whatever brought it: XML, EVTX, and four shippers' JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import evtx
import pytest

from escudo.sources.formats.xml_element import read_event_fields
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import read
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared
from tests.sources.support import NAMESPACE, read_bytes, rows_of

NOT_THE_EVENTS = {"_raw", "source_file"}
HEADER = {
    "Name", "Guid", "EventID", "Version", "Level", "Task", "Opcode", "Keywords", "SystemTime",
    "EventRecordID", "ProcessID", "ThreadID", "Channel", "Computer", "UserID", "ActivityID",
    "RelatedActivityID",
}  # fmt: skip
NXLOG_ONLY = {
    "EventReceivedTime", "EventTime", "Severity", "SeverityValue", "SourceModuleName",
    "SourceModuleType", "Category", "Nxlog.EventType", "Nxlog.Opcode", "Message", "AccountName",
    "@timestamp", "@version", "extracted_host", "port", "tags{}",
}  # fmt: skip
BEAT_PREFIXES = ("winlog.", "event.", "log.", "agent.", "ecs.", "host.", "Message")

SYSMON = {
    "Name": "Microsoft-Windows-Sysmon",
    "Guid": "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}",
    "EventID": "1",
    "Version": "5",
    "Level": "4",
    "Task": "1",
    "Opcode": "0",
    "Keywords": "0x8000000000000000",
    "SystemTime": "2020-10-08T11:03:46.617000000Z",
    "EventRecordID": "4522",
    "ProcessID": "2912",
    "ThreadID": "3424",
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Computer": "pc1.example.com",
    "UserID": "S-1-5-18",
}
OWN = {
    "RuleName": "-",
    "UtcTime": "2020-10-08 11:03:46.615",
    "ProcessGuid": "{96128EA2-F212-5F7E-E400-000000007F01}",
    "ProcessId": "2296",
    "Image": "C:\\Windows\\System32\\cmd.exe",
    "CommandLine": '"C:\\Windows\\system32\\cmd.exe" /c "echo <a> & b > c:\\x"',
    "User": "EXAMPLE\\é",
    "LogonId": "0x8d4ac",
    "Hashes": "MD5=F4,SHA256=93,IMPHASH=30",
}


def as_xml(header: dict[str, str], own: dict[str, str]) -> str:
    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    data = "".join(f"<Data Name='{name}'>{escape(value)}</Data>" for name, value in own.items())
    plain = ("EventID", "Version", "Level", "Task", "Opcode", "Keywords")
    system = "".join(f"<{name}>{header[name]}</{name}>" for name in plain)
    return (
        f"<Event xmlns='{NAMESPACE}'><System><Provider Name='{header['Name']}' "
        f"Guid='{header['Guid']}'/>{system}<TimeCreated SystemTime='{header['SystemTime']}'/>"
        f"<EventRecordID>{header['EventRecordID']}</EventRecordID><Correlation/>"
        f"<Execution ProcessID='{header['ProcessID']}' ThreadID='{header['ThreadID']}'/>"
        f"<Channel>{header['Channel']}</Channel><Computer>{header['Computer']}</Computer>"
        f"<Security UserID='{header['UserID']}'/></System><EventData>{data}</EventData></Event>"
    )


def as_winlogbeat(header: dict[str, str], own: dict[str, str]) -> dict[str, Any]:
    """Winlogbeat 8 (Winlogbeat Reference, Exported fields)."""
    return {
        "@timestamp": header["SystemTime"],
        "message": "Process Create:\nRuleName: -",
        "ecs": {"version": "8.0.0"},
        "agent": {"type": "winlogbeat"},
        "host": {"name": header["Computer"]},
        "log": {"level": "information"},
        "event": {"kind": "event", "code": header["EventID"], "provider": header["Name"]},
        "winlog": {
            "channel": header["Channel"],
            "provider_name": header["Name"],
            "provider_guid": header["Guid"],
            "event_id": header["EventID"],
            "version": int(header["Version"]),
            "record_id": int(header["EventRecordID"]),
            "computer_name": header["Computer"],
            "task": "Process Create (rule: ProcessCreate)",
            "opcode": "Info",
            "api": "wineventlog",
            "process": {
                "pid": int(header["ProcessID"]),
                "thread": {"id": int(header["ThreadID"])},
            },
            "user": {"identifier": header["UserID"], "name": "SYSTEM", "domain": "NT AUTHORITY"},
            "event_data": own,
        },
    }


def as_nxlog(header: dict[str, str], own: dict[str, str]) -> dict[str, Any]:
    """NXLog's im_msvistalog behind Logstash, four hours west of UTC."""
    moment = datetime.fromisoformat(header["SystemTime"][:26]).replace(tzinfo=UTC)
    local = moment - timedelta(hours=4)
    received = moment + timedelta(seconds=3)
    keywords = int(header["Keywords"], 16)
    return {
        "@timestamp": f"{received:%Y-%m-%dT%H:%M:%S}.495Z",
        "EventReceivedTime": f"{received - timedelta(hours=4):%Y-%m-%d %H:%M:%S}",
        "EventTime": f"{local:%Y-%m-%d %H:%M:%S.%f}",
        "Hostname": header["Computer"],
        "SourceName": header["Name"],
        "ProviderGuid": header["Guid"],
        "EventID": int(header["EventID"]),
        "Version": int(header["Version"]),
        "Task": int(header["Task"]),
        "OpcodeValue": int(header["Opcode"]),
        "Opcode": "Info",
        "Keywords": keywords - 2**64 if keywords >= 2**63 else keywords,
        "RecordNumber": int(header["EventRecordID"]),
        "ExecutionProcessID": int(header["ProcessID"]),
        "ThreadID": int(header["ThreadID"]),
        "Channel": header["Channel"],
        "UserID": header["UserID"],
        "EventType": "INFO",
        "SeverityValue": 2,
        "Severity": "INFO",
        "Category": "Process Create (rule: ProcessCreate)",
        "AccountName": "SYSTEM",
        "Message": "Process Create:\r\nRuleName: -",
        "SourceModuleName": "eventlog",
        "SourceModuleType": "im_msvistalog",
        "host": "wec.example.com",
        "port": 61041,
        "tags": ["lab"],
        "@version": "1",
        **own,
    }


def as_evtx_dump(header: dict[str, str], own: dict[str, str]) -> dict[str, Any]:
    """What ``evtx_dump -o jsonl`` writes; GUIDs are bare there."""

    def bare(value: str) -> str:
        return value.strip("{}")

    def attributes(**values: Any) -> dict[str, Any]:
        return {"#attributes": values}

    return {
        "Event": {
            "#attributes": {"xmlns": NAMESPACE},
            "System": {
                "Provider": attributes(Name=header["Name"], Guid=bare(header["Guid"])),
                "EventID": int(header["EventID"]),
                "Version": int(header["Version"]),
                "Level": int(header["Level"]),
                "Task": int(header["Task"]),
                "Opcode": int(header["Opcode"]),
                "Keywords": header["Keywords"],
                "TimeCreated": attributes(SystemTime=header["SystemTime"]),
                "EventRecordID": int(header["EventRecordID"]),
                "Correlation": None,
                "Execution": attributes(
                    ProcessID=int(header["ProcessID"]), ThreadID=int(header["ThreadID"])
                ),
                "Channel": header["Channel"],
                "Computer": header["Computer"],
                "Security": attributes(UserID=header["UserID"]),
            },
            "EventData": {k: bare(v) if k.endswith("Guid") else v for k, v in own.items()},
        }
    }


def event_only(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if name not in NOT_THE_EVENTS
        and name not in NXLOG_ONLY
        and not name.startswith(BEAT_PREFIXES)
    }


@pytest.mark.parametrize("times", [1, 400])
@pytest.mark.parametrize("convert", [as_winlogbeat, as_nxlog, as_evtx_dump])
def test_json_gives_the_row_of_the_xml(convert: Any, times: int) -> None:
    [expected], _ = read_bytes(as_xml(SYSMON, OWN).encode())
    text = json.dumps(convert(SYSMON, OWN)) + "\n"
    rows, rejected = read_bytes(text.encode() * times)
    assert rejected == []
    assert len(rows) == times
    assert event_only(rows[0]) == event_only(expected)
    assert expected["_raw"] == as_xml(SYSMON, OWN)
    assert rows[0]["_raw"] == text.strip()


def _sysmon_logs() -> list[Path]:
    return sorted((SHARED / "evtx").rglob("*.evtx")) if SHARED else []


@needs_shared
@pytest.mark.slow
def test_real_sysmon_events_in_five_formats() -> None:
    """Every Sysmon event of the real logs: the EVTX row, and the rows of its other forms."""
    compared = 0
    for path in _sysmon_logs():
        parser, twin = evtx.PyEvtxParser(str(path)), evtx.PyEvtxParser(str(path))
        pairs = [
            (record["data"].partition("\n")[2], twin_record["data"])
            for record, twin_record in zip(parser.records(), twin.records_json(), strict=True)
            if "<Channel>Microsoft-Windows-Sysmon/Operational<" in record["data"]
        ]
        if not pairs:
            continue
        [stream] = [s for s in open_logs([path]) if isinstance(s, LogStream)]
        rows = [r for r in rows_of(read(stream, FAMILIES))[0] if r["family"] == "sysmon"]
        from_evtx = _by_record(rows)
        split = [_split(read_event_fields(text)) for text, _ in pairs]
        forms = {
            "event_xml": [text for text, _ in pairs],
            "evtx_dump": [text for _, text in pairs],
            "winlogbeat": [json.dumps(as_winlogbeat(*s)) for s in split],
            "nxlog": [json.dumps(as_nxlog(*s)) for s in split],
        }
        for name, texts in forms.items():
            rows, rejected = read_bytes("\n".join(texts).encode())
            assert rejected == [], (path, name)
            found = _by_record(rows)
            assert found.keys() == from_evtx.keys(), (path, name)
            for key, row in found.items():
                assert _comparable(row) == _comparable(from_evtx[key]), (path, name)
                compared += 1
    assert compared == 4 * 2302


def _split(fields: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """An event's header, and its own fields."""
    plain = {k: _braced(v) for k, v in fields.items()}
    header = {k: plain.get(f"System.{k}", v) for k, v in plain.items() if k in HEADER}
    return header, {k: v for k, v in plain.items() if _is_own(k, plain)}


def _by_record(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["EventRecordID"] + row["EventID"] + row.get("UtcTime", ""): row for row in rows}


def _is_own(name: str, fields: dict[str, str]) -> bool:
    if name.startswith("System."):
        return False
    return name not in HEADER or f"System.{name}" in fields


def _braced(value: str) -> str:
    hexadecimal = set(value.replace("-", "")) <= set("0123456789ABCDEF")
    guid = len(value) == 36 and value.count("-") == 4 and hexadecimal
    return f"{{{value}}}" if guid else value


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """GUIDs in braces or not, times with as many digits as the form has."""
    out = {k: _braced(v) if isinstance(v, str) else v for k, v in event_only(row).items()}
    out["SystemTime"] = out["SystemTime"].rstrip("Z").rstrip("0")
    return out
