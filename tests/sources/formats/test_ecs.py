"""Fields that Winlogbeat's modules moved to ECS come back under the event's own names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sources.support import read_bytes

SYSMON = ("Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational")
SECURITY = ("Microsoft-Windows-Security-Auditing", "Security")
POWERSHELL = ("Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational")

CASES: list[tuple[tuple[str, str], str, dict[str, Any], dict[str, str]]] = [
    (
        SYSMON,
        "3",
        {
            "process": {"executable": "C:\\a.exe", "pid": 8},
            "network": {"transport": "tcp", "direction": "egress", "type": "ipv4"},
            "source": {"ip": "192.0.2.1", "port": 5000},
            "destination": {"ip": "192.0.2.2", "port": 443, "domain": "x.example"},
        },
        {
            "Image": "C:\\a.exe",
            "ProcessId": "8",
            "Protocol": "tcp",
            "Initiated": "true",
            "SourceIp": "192.0.2.1",
            "SourceIsIpv6": "false",
            "DestinationPort": "443",
            "DestinationHostname": "x.example",
        },
    ),
    (
        SYSMON,
        "7",
        {"file": {"path": "C:\\x.dll", "hash": {"md5": "aa"}}, "process": {"executable": "C:\\b"}},
        {"ImageLoaded": "C:\\x.dll", "Hashes": "MD5=AA", "Image": "C:\\b"},
    ),
    (
        SYSMON,
        "10",
        {"process": {"executable": "C:\\c.exe", "pid": 5, "thread": {"id": 6}}},
        {"SourceImage": "C:\\c.exe", "SourceProcessId": "5", "SourceThreadId": "6"},
    ),
    (SYSMON, "11", {"file": {"path": "C:\\t.txt"}}, {"TargetFilename": "C:\\t.txt"}),
    (SYSMON, "13", {"registry": {"path": "HKLM\\S\\v"}}, {"TargetObject": "HKLM\\S\\v"}),
    (SYSMON, "15", {"file": {"path": "C:\\t:z", "hash": {"sha1": "bb"}}}, {"Hash": "SHA1=BB"}),
    (
        SYSMON,
        "22",
        {"dns": {"question": {"name": "a.example"}, "answers": [{"data": "192.0.2.3"}]}},
        {"QueryName": "a.example", "QueryResults": "192.0.2.3;"},
    ),
    (
        SECURITY,
        "4688",
        {"process": {"pid": 255, "executable": "C:\\d.exe", "parent": {"executable": "C:\\p.exe"}}},
        {"NewProcessId": "0xff", "NewProcessName": "C:\\d.exe", "ParentProcessName": "C:\\p.exe"},
    ),
    (
        SECURITY,
        "4625",
        {"source": {"ip": "192.0.2.9", "port": 1}, "user": {"name": "eve", "domain": "D"}},
        {"IpAddress": "192.0.2.9", "IpPort": "1", "TargetUserName": "eve", "TargetDomainName": "D"},
    ),
    (
        SECURITY,
        "4728",
        {"group": {"name": "Admins"}, "user": {"name": "root"}},
        {"TargetUserName": "Admins", "SubjectUserName": "root"},
    ),
    (
        POWERSHELL,
        "4104",
        {"powershell": {"file": {"script_block_text": "iex x"}, "sequence": 1}},
        {"ScriptBlockText": "iex x", "MessageNumber": "1"},
    ),
]


@pytest.mark.parametrize(
    ("provider", "event_id", "moved", "own"), CASES, ids=[f"{c[0][1]} {c[1]}" for c in CASES]
)
def test_moved_fields_come_back(
    provider: tuple[str, str], event_id: str, moved: dict[str, Any], own: dict[str, str]
) -> None:
    [row] = _rows({**moved, "winlog": _winlog(provider, event_id)})
    assert {name: row.get(name) for name in own} == own


def test_what_the_event_itself_says_stands() -> None:
    winlog = {**_winlog(SYSMON, "1"), "event_data": {"Image": "C:\\Own.exe"}}
    [row] = _rows({"process": {"executable": "c:\\own.exe"}, "winlog": winlog})
    assert row["Image"] == "C:\\Own.exe"


def test_other_events_are_left_alone() -> None:
    [row] = _rows({"process": {"pid": 9}, "winlog": _winlog(("Other", "Application"), "1")})
    assert "ProcessId" not in row


def _winlog(provider: tuple[str, str], event_id: str) -> dict[str, Any]:
    return {"event_id": event_id, "channel": provider[1], "provider_name": provider[0]}


def _rows(event: dict[str, Any]) -> list[dict[str, Any]]:
    rows, rejected = read_bytes(
        json.dumps({"@timestamp": "2024-06-01T00:00:00Z", **event}).encode()
    )
    assert rejected == []
    return rows
