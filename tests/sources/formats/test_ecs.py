"""Fields that Winlogbeat's modules moved to ECS come back under the event's own names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sources.support import read_bytes

SYSMON = ("Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational")
SECURITY = ("Microsoft-Windows-Security-Auditing", "Security")
CLASSIC = ("PowerShell", "Windows PowerShell")
CORE = ("PowerShellCore", "PowerShellCore/Operational")
POWERSHELL = ("Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational")

CASES: list[tuple[tuple[str, str], str, dict[str, Any], dict[str, Any]]] = [
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
    (
        CORE,
        "4104",
        {"powershell": {"file": {"script_block_id": "1-2"}, "total": 3}, "file": {"path": "C:\\s"}},
        {"ScriptBlockId": "1-2", "MessageTotal": "3", "Path": "C:\\s"},
    ),
    (
        POWERSHELL,
        "4103",
        {
            "process": {"title": "ConsoleHost", "command_line": "powershell -enc a"},
            "user": {"domain": "D", "name": "ida"},
            "powershell": {
                "command": {
                    "name": "Out-String",
                    "invocation_details": [
                        {"type": "CommandInvocation", "related_command": "O", "value": '"O"'},
                        {
                            "type": "ParameterBinding",
                            "related_command": "O",
                            "name": '"In"',
                            "value": '"x"',
                        },
                    ],
                }
            },
        },
        {
            "ContextInfo": "        Host Name = ConsoleHost\n"
            "        Host Application = powershell -enc a\n"
            "        Command Name = Out-String\n        User = D\\ida",
            "Payload": 'CommandInvocation(O): "O"\nParameterBinding(O): name="In"; value="x"',
        },
    ),
    (
        CLASSIC,
        "400",
        {
            "powershell": {"engine": {"new_state": "Available", "previous_state": "None"}},
            "process": {"command_line": "powershell -v 2"},
        },
        {
            "Data": [
                "Available",
                "None",
                "\tNewEngineState=Available\n\n\tPreviousEngineState=None\n\n"
                "\tHostApplication=powershell -v 2",
            ]
        },
    ),
    (
        CLASSIC,
        "600",
        {"powershell": {"provider": {"name": "Registry", "new_state": "Started"}}},
        {
            "Data": [
                "Registry",
                "Started",
                "\tProviderName=Registry\n\n\tNewProviderState=Started",
            ]
        },
    ),
    (
        CLASSIC,
        "800",
        {"powershell": {"command": {"value": "iex x", "name": "iex"}}},
        {"Data": ["iex x", "\tCommandName=iex\n\n\tCommandLine=iex x"]},
    ),
    (
        SYSMON,
        "13",
        {"registry": {"path": "HKLM\\v", "data": {"strings": ["1"], "type": "SZ_DWORD"}}},
        {"TargetObject": "HKLM\\v", "Details": "DWORD (0x00000001)"},
    ),
    (
        SYSMON,
        "23",
        {"process": {"hash": {"md5": "aa"}}, "sysmon": {"file": {"archived": True}}},
        {"Hashes": "MD5=AA", "Archived": "true"},
    ),
    (
        SYSMON,
        "22",
        {"sysmon": {"dns": {"status": "DNS_ERROR_RCODE_NAME_ERROR"}}},
        {"QueryStatus": "9003"},
    ),
    (
        SYSMON,
        "9",
        {"file": {"path": "\\Device\\HarddiskVolume2"}},
        {"Device": "\\Device\\HarddiskVolume2"},
    ),
    (SYSMON, "20", {"process": {"executable": "cmd.exe"}}, {"Destination": "cmd.exe"}),
    (
        SECURITY,
        "4648",
        {"user": {"name": "a", "effective": {"name": "b", "domain": "D"}}},
        {"SubjectUserName": "a", "TargetUserName": "b", "TargetDomainName": "D"},
    ),
    (
        SECURITY,
        "4657",
        {"registry": {"path": "\\REGISTRY\\x", "value": "Run"}, "process": {"pid": 16}},
        {"ObjectName": "\\REGISTRY\\x", "ObjectValueName": "Run", "ProcessId": "0x10"},
    ),
    (SECURITY, "4663", {"file": {"path": "C:\\s"}}, {"ObjectName": "C:\\s"}),
    (
        SECURITY,
        "4697",
        {"service": {"name": "evil", "type": "0x10"}, "user": {"name": "a"}},
        {"ServiceName": "evil", "ServiceType": "0x10", "SubjectUserName": "a"},
    ),
    (
        SECURITY,
        "4624",
        {"source": {"domain": "PC9"}, "process": {"pid": 4}},
        {"WorkstationName": "PC9", "ProcessId": "0x4"},
    ),
    (
        SECURITY,
        "4781",
        {"user": {"name": "a", "target": {"name": "old"}, "changes": {"name": "new"}}},
        {"OldTargetUserName": "old", "NewTargetUserName": "new"},
    ),
    (
        SECURITY,
        "4778",
        {"user": {"name": "a"}, "source": {"ip": "192.0.2.7", "domain": "PC9"}},
        {"AccountName": "a", "ClientAddress": "192.0.2.7", "ClientName": "PC9"},
    ),
    (
        SECURITY,
        "4798",
        {"process": {"executable": "C:\\n.exe", "pid": 16}, "user": {"name": "a"}},
        {"CallerProcessName": "C:\\n.exe", "CallerProcessId": "0x10", "SubjectUserName": "a"},
    ),
]


@pytest.mark.parametrize(
    ("provider", "event_id", "moved", "own"), CASES, ids=[f"{c[0][1]} {c[1]}" for c in CASES]
)
def test_moved_fields_come_back(
    provider: tuple[str, str], event_id: str, moved: dict[str, Any], own: dict[str, Any]
) -> None:
    [row] = _rows({**moved, "winlog": _winlog(provider, event_id)})
    assert {name: row.get(name) for name in own} == own


def test_what_the_event_itself_says_stands() -> None:
    winlog = {**_winlog(SYSMON, "1"), "event_data": {"Image": "C:\\Own.exe"}}
    [row] = _rows({"process": {"executable": "c:\\own.exe"}, "winlog": winlog})
    assert row["Image"] == "C:\\Own.exe"


def test_a_logon_type_that_has_become_a_word_is_a_number_again() -> None:
    winlog = {**_winlog(SECURITY, "4624"), "logon": {"type": "RemoteInteractive", "id": "0x5f"}}
    [row] = _rows({"user": {"name": "ida"}, "winlog": winlog})
    assert (row["LogonType"], row["TargetLogonId"]) == ("10", "0x5f")


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
