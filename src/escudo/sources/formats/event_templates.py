"""An event's id and its values by position -> the values by name; ``shapes`` calls it.

Some shippers keep the order of an event's values and lose their names (Fluent Bit's
``StringInserts``, ``Properties`` of PowerShell's Get-WinEvent). The order is that of the
provider's manifest. Of several versions of an event the one with as many values is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_SUBJECT = "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId"
_TARGET = "TargetUserSid TargetUserName TargetDomainName TargetLogonId"
_ACCOUNT = "TargetUserName TargetDomainName TargetSid"
_ATTRIBUTES = (
    "SamAccountName DisplayName UserPrincipalName HomeDirectory HomePath ScriptPath ProfilePath "
    "UserWorkstations PasswordLastSet AccountExpires PrimaryGroupId AllowedToDelegateTo "
    "OldUacValue NewUacValue UserAccountControl UserParameters SidHistory LogonHours"
)
_MEMBER = f"MemberName MemberSid {_ACCOUNT} {_SUBJECT} PrivilegeList"
_LOGON = (
    f"{_SUBJECT} {_TARGET} LogonType LogonProcessName AuthenticationPackageName WorkstationName "
    "LogonGuid TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort"
)
_OBJECT = f"{_SUBJECT} ObjectServer ObjectType ObjectName HandleId"
_NEW_PROCESS = f"{_SUBJECT} NewProcessId NewProcessName TokenElevationType ProcessId"
_TICKET = "TargetUserName TargetDomainName"
_TASK = f"{_SUBJECT} TaskName TaskContent"
_SYSMON_HEAD = "RuleName UtcTime ProcessGuid ProcessId"
_SYSMON_REGISTRY = "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject"
_VERSION = "FileVersion Description Product Company OriginalFileName"
_SYSMON = "Microsoft-Windows-Sysmon"
_SECURITY = "Microsoft-Windows-Security-Auditing"
_SERVICES = "Service Control Manager"
_POWERSHELL = "Microsoft-Windows-PowerShell"
_EVENTLOG = "Microsoft-Windows-Eventlog"
_TASK_TAIL = "ClientProcessStartKey ClientProcessId ParentProcessId RpcCallClientLocality FQDN"
_GROUP = f"{_ACCOUNT} {_SUBJECT} PrivilegeList SamAccountName SidHistory"
_COMPUTER = f"{_ATTRIBUTES} DnsHostName ServicePrincipalNames"
_CALLER = f"{_ACCOUNT} {_SUBJECT} CallerProcessId CallerProcessName"
_DIRECTORY = (
    f"OpCorrelationID AppCorrelationID {_SUBJECT} DSName DSType ObjectDN ObjectGUID ObjectClass"
)
_SESSION = "AccountName AccountDomain LogonID SessionName ClientName ClientAddress"
_FILTERED = (
    "ProcessID Application Direction SourceAddress SourcePort DestAddress DestPort Protocol "
    "FilterRTID LayerName LayerRTID RemoteUserID RemoteMachineID"
)

_TEMPLATES: Mapping[str, Mapping[str, Sequence[str]]] = {
    _SECURITY: {
        "4624": (
            _LOGON,
            f"{_LOGON} ImpersonationLevel",
            f"{_LOGON} ImpersonationLevel RestrictedAdminMode TargetOutboundUserName "
            "TargetOutboundDomainName VirtualAccount TargetLinkedLogonId ElevatedToken",
        ),
        "4625": (
            f"{_SUBJECT} TargetUserSid TargetUserName TargetDomainName Status FailureReason "
            "SubStatus LogonType LogonProcessName AuthenticationPackageName WorkstationName "
            "TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
        ),
        "4634": (f"{_TARGET} LogonType",),
        "4647": (_TARGET,),
        "4648": (
            f"{_SUBJECT} LogonGuid TargetUserName TargetDomainName TargetLogonGuid "
            "TargetServerName TargetInfo ProcessId ProcessName IpAddress IpPort",
        ),
        "4656": (
            f"{_OBJECT} TransactionId AccessList AccessReason AccessMask PrivilegeList "
            "RestrictedSidCount ProcessId ProcessName ResourceAttributes",
        ),
        "4657": (
            f"{_SUBJECT} ObjectName ObjectValueName HandleId OperationType OldValueType OldValue "
            "NewValueType NewValue ProcessId ProcessName",
        ),
        "4663": (
            f"{_OBJECT} AccessList AccessMask ProcessId ProcessName",
            f"{_OBJECT} AccessList AccessMask ProcessId ProcessName ResourceAttributes",
        ),
        "4672": (f"{_SUBJECT} PrivilegeList",),
        "4688": (
            _NEW_PROCESS,
            f"{_NEW_PROCESS} CommandLine",
            f"{_NEW_PROCESS} CommandLine {_TARGET} ParentProcessName MandatoryLabel",
        ),
        "4689": (f"{_SUBJECT} Status ProcessId ProcessName",),
        "4697": (
            f"{_SUBJECT} ServiceName ServiceFileName ServiceType ServiceStartType ServiceAccount",
        ),
        "4698": (
            _TASK,
            f"{_TASK} {_TASK_TAIL}",
        ),
        "4699": (_TASK, f"{_TASK} {_TASK_TAIL}"),
        "4720": (f"{_ACCOUNT} {_SUBJECT} PrivilegeList {_ATTRIBUTES}",),
        "4722": (f"{_ACCOUNT} {_SUBJECT}",),
        "4723": (f"{_ACCOUNT} {_SUBJECT} PrivilegeList",),
        "4724": (f"{_ACCOUNT} {_SUBJECT}",),
        "4725": (f"{_ACCOUNT} {_SUBJECT}",),
        "4726": (f"{_ACCOUNT} {_SUBJECT} PrivilegeList",),
        "4728": (_MEMBER,),
        "4729": (_MEMBER,),
        "4732": (_MEMBER,),
        "4733": (_MEMBER,),
        "4738": (f"Dummy {_ACCOUNT} {_SUBJECT} PrivilegeList {_ATTRIBUTES}",),
        "4740": (f"{_ACCOUNT} {_SUBJECT}",),
        "4756": (_MEMBER,),
        "4768": (
            f"{_TICKET} TargetSid ServiceName ServiceSid TicketOptions Status "
            "TicketEncryptionType PreAuthType IpAddress IpPort CertIssuerName CertSerialNumber "
            "CertThumbprint",
        ),
        "4769": (
            f"{_TICKET} ServiceName ServiceSid TicketOptions TicketEncryptionType IpAddress "
            "IpPort Status LogonGuid TransmittedServices",
        ),
        "4771": (
            "TargetUserName TargetSid ServiceName TicketOptions Status PreAuthType IpAddress "
            "IpPort CertIssuerName CertSerialNumber CertThumbprint",
        ),
        "4776": ("PackageName TargetUserName Workstation Status",),
        "5140": (
            f"{_SUBJECT} ObjectType IpAddress IpPort ShareName ShareLocalPath AccessMask "
            "AccessList",
        ),
        "5145": (
            f"{_SUBJECT} ObjectType IpAddress IpPort ShareName ShareLocalPath RelativeTargetName "
            "AccessMask AccessList AccessReason",
        ),
        "5156": (_FILTERED,),
        "5157": (_FILTERED,),
        "5158": (
            "ProcessId Application SourceAddress SourcePort Protocol FilterRTID LayerName "
            "LayerRTID",
        ),
        "4616": (f"{_SUBJECT} PreviousTime NewTime ProcessId ProcessName",),
        "4660": (f"{_SUBJECT} ObjectServer HandleId ProcessId ProcessName TransactionId",),
        "4661": (
            f"{_OBJECT} TransactionId AccessList AccessMask PrivilegeList Properties "
            "RestrictedSidCount ProcessId ProcessName",
        ),
        "4662": (
            f"{_SUBJECT} ObjectServer ObjectType ObjectName OperationType HandleId AccessList "
            "AccessMask Properties AdditionalInfo AdditionalInfo2",
        ),
        "4670": (f"{_OBJECT} OldSd NewSd ProcessId ProcessName",),
        "4673": (f"{_SUBJECT} ObjectServer Service PrivilegeList ProcessId ProcessName",),
        "4674": (f"{_OBJECT} AccessMask PrivilegeList ProcessId ProcessName",),
        "4700": (_TASK, f"{_TASK} {_TASK_TAIL}"),
        "4701": (_TASK, f"{_TASK} {_TASK_TAIL}"),
        "4702": (f"{_TASK}New", f"{_TASK}New {_TASK_TAIL}"),
        "4703": (
            f"{_SUBJECT} {_TARGET} ProcessName ProcessId EnabledPrivilegeList "
            "DisabledPrivilegeList",
        ),
        "4719": (f"{_SUBJECT} CategoryId SubcategoryId SubcategoryGuid AuditPolicyChanges",),
        "4727": (_GROUP,),
        "4730": (f"{_ACCOUNT} {_SUBJECT} PrivilegeList",),
        "4731": (_GROUP,),
        "4734": (f"{_ACCOUNT} {_SUBJECT} PrivilegeList",),
        "4735": (_GROUP,),
        "4737": (_GROUP,),
        "4741": (f"{_ACCOUNT} {_SUBJECT} PrivilegeList {_COMPUTER}",),
        "4742": (f"ComputerAccountChange {_ACCOUNT} {_SUBJECT} PrivilegeList {_COMPUTER}",),
        "4743": (f"{_ACCOUNT} {_SUBJECT} PrivilegeList",),
        "4757": (_MEMBER,),
        "4767": (f"{_ACCOUNT} {_SUBJECT}",),
        "4778": (_SESSION,),
        "4779": (_SESSION,),
        "4781": (
            f"OldTargetUserName NewTargetUserName TargetDomainName TargetSid {_SUBJECT} "
            "PrivilegeList",
        ),
        "4798": (_CALLER,),
        "4799": (_CALLER,),
        **dict.fromkeys(("4800", "4801", "4802", "4803"), (f"{_TARGET} SessionId",)),
        "4886": ("RequestId Requester Attributes",),
        "4887": ("RequestId Requester Attributes Disposition SubjectKeyIdentifier Subject",),
        "5136": (
            f"{_DIRECTORY} AttributeLDAPDisplayName AttributeSyntaxOID AttributeValue "
            "OperationType",
        ),
        "5137": (_DIRECTORY,),
        "5141": (f"{_DIRECTORY} TreeDelete",),
    },
    _SYSMON: {
        "1": (
            f"{_SYSMON_HEAD} Image {_VERSION} CommandLine CurrentDirectory User LogonGuid "
            "LogonId TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId "
            "ParentImage ParentCommandLine ParentUser",
            f"{_SYSMON_HEAD} Image FileVersion Description Product Company CommandLine "
            "CurrentDirectory User LogonGuid LogonId TerminalSessionId IntegrityLevel Hashes "
            "ParentProcessGuid ParentProcessId ParentImage ParentCommandLine",
        ),
        "2": (f"{_SYSMON_HEAD} Image TargetFilename CreationUtcTime PreviousCreationUtcTime User",),
        "3": (
            f"{_SYSMON_HEAD} Image User Protocol Initiated SourceIsIpv6 SourceIp SourceHostname "
            "SourcePort SourcePortName DestinationIsIpv6 DestinationIp DestinationHostname "
            "DestinationPort DestinationPortName",
        ),
        "4": ("UtcTime State Version SchemaVersion",),
        "5": (f"{_SYSMON_HEAD} Image User",),
        "6": ("RuleName UtcTime ImageLoaded Hashes Signed Signature SignatureStatus",),
        "7": (
            f"{_SYSMON_HEAD} Image ImageLoaded {_VERSION} Hashes Signed Signature "
            "SignatureStatus User",
        ),
        "8": (
            "RuleName UtcTime SourceProcessGuid SourceProcessId SourceImage TargetProcessGuid "
            "TargetProcessId TargetImage NewThreadId StartAddress StartModule StartFunction "
            "SourceUser TargetUser",
        ),
        "9": (f"{_SYSMON_HEAD} Image Device User",),
        "10": (
            "RuleName UtcTime SourceProcessGUID SourceProcessId SourceThreadId SourceImage "
            "TargetProcessGUID TargetProcessId TargetImage GrantedAccess CallTrace SourceUser "
            "TargetUser",
        ),
        "11": (f"{_SYSMON_HEAD} Image TargetFilename CreationUtcTime User",),
        "12": (f"{_SYSMON_REGISTRY} User",),
        "13": (f"{_SYSMON_REGISTRY} Details User",),
        "14": (f"{_SYSMON_REGISTRY} NewName User",),
        "15": (f"{_SYSMON_HEAD} Image TargetFilename CreationUtcTime Hash Contents User",),
        "16": ("UtcTime Configuration ConfigurationFileHash",),
        "17": ("RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User",),
        "18": ("RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User",),
        "19": ("RuleName EventType UtcTime Operation User EventNamespace Name Query",),
        "20": ("RuleName EventType UtcTime Operation User Name Type Destination",),
        "21": ("RuleName EventType UtcTime Operation User Consumer Filter",),
        "22": (f"{_SYSMON_HEAD} QueryName QueryStatus QueryResults Image User",),
        "23": (f"{_SYSMON_HEAD} User Image TargetFilename Hashes IsExecutable Archived",),
        "24": (f"{_SYSMON_HEAD} Image Session ClientInfo Hashes Archived User",),
        "25": (f"{_SYSMON_HEAD} Image Type User",),
        "26": (f"{_SYSMON_HEAD} User Image TargetFilename Hashes IsExecutable",),
        "27": (f"{_SYSMON_HEAD} User Image TargetFilename Hashes",),
        "28": (f"{_SYSMON_HEAD} User Image TargetFilename Hashes IsExecutable",),
        "29": (f"{_SYSMON_HEAD} User Image TargetFilename Hashes",),
        "255": ("UtcTime ID Description",),
    },
    _EVENTLOG: {
        "104": ("SubjectUserName SubjectDomainName Channel BackupPath",),
        "1102": (_SUBJECT,),
    },
    _SERVICES: {
        "7045": ("ServiceName ImagePath ServiceType StartType AccountName",),
        "7036": ("param1 param2",),
        "7040": ("param1 param2 param3 param4",),
    },
    _POWERSHELL: {
        "4103": ("ContextInfo UserData Payload",),
        "4104": ("MessageNumber MessageTotal ScriptBlockText ScriptBlockId Path",),
    },
}
"""Microsoft's audit event pages, manifests (``wevtutil gp``), Sysmon's schema (``sysmon -s``)."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def name_values(provider: str, event_id: str, values: Sequence[str]) -> dict[str, str] | None:
    """The values by name; None where the event, or a version with so many values, is not known.

    Sysmon adds values at the end of an event from version to version, and ``RuleName`` before
    all others came later.

    >>> name_values("Microsoft-Windows-Sysmon", "5", ["2024-01-01 00:00:00.1", "{1}", "4", "a"])
    {'UtcTime': '2024-01-01 00:00:00.1', 'ProcessGuid': '{1}', 'ProcessId': '4', 'Image': 'a'}
    >>> name_values("Microsoft-Windows-Security-Auditing", "4672", ["S-1-5-18"]) is None
    True
    """
    versions = [text.split() for text in _TEMPLATES.get(provider, {}).get(event_id, ())]
    sysmon = provider == _SYSMON
    if sysmon and values and _DATE.match(values[0]):
        versions = [[name for name in names if name != "RuleName"] for names in versions]
    for names in versions:
        if len(names) == len(values):
            return dict(zip(names, values, strict=True))
    for names in versions:
        later = len(names) - len(values)
        if sysmon and 0 < later <= 2 and all("User" in name for name in names[len(values) :]):
            return dict(zip(names, values, strict=False))
    return None
