"""Fields of the Elastic Common Schema -> the names in the event; ``json_forms`` calls it.

The modules of Winlogbeat 7 and later, and Elastic Agent's integrations, move what they know from
``winlog.event_data`` to ECS. ``_FIELDS`` undoes that, event id by event id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.ecs_powershell import powershell_texts
from escudo.sources.formats.json_leaves import Path, Paths

_SYSMON = "Microsoft-Windows-Sysmon"
_SECURITY = "Microsoft-Windows-Security-Auditing"
_POWERSHELL = "Microsoft-Windows-PowerShell"
_EVENTLOG = "Microsoft-Windows-Eventlog"
_NOTHING = pa.scalar(None, pa.string())


@dataclass(frozen=True, slots=True)
class _Moved:
    """An ECS field and the event's own; ``events`` are the ids that it holds for (empty: all)."""

    provider: str
    events: frozenset[str]
    field: str
    name: str
    turn: Callable[[str], str | None] = str


def _hexadecimal(text: str) -> str | None:
    return f"0x{int(text):x}" if text.isdigit() else text


def _utc_time(text: str) -> str | None:
    """As Sysmon writes it, in milliseconds."""
    return text[:23].replace("T", " ").rstrip("Z") if text.endswith("Z") else None


def _initiated(text: str) -> str | None:
    return {"egress": "true", "outbound": "true", "ingress": "false", "inbound": "false"}.get(text)


def _ipv6(text: str) -> str | None:
    return {"ipv4": "false", "ipv6": "true"}.get(text)


def _query_status(text: str) -> str | None:
    return _QUERY_STATUS.get(text, text)


_QUERY_STATUS = {
    "SUCCESS": "0", "ERROR_ACCESS_DENIED": "5", "ERROR_INVALID_NAME": "123",
    "ERROR_TIMEOUT": "1460", "DNS_ERROR_RCODE_FORMAT_ERROR": "9001",
    "DNS_ERROR_RCODE_SERVER_FAILURE": "9002", "DNS_ERROR_RCODE_NAME_ERROR": "9003",
    "DNS_ERROR_RCODE_NOT_IMPLEMENTED": "9004", "DNS_ERROR_RCODE_REFUSED": "9005",
    "DNS_INFO_NO_RECORDS": "9501", "DNS_ERROR_RECORD_DOES_NOT_EXIST": "9701",
    "DNS_ERROR_NAME_DOES_NOT_EXIST": "9714", "WSAECONNRESET": "10054", "WSAETIMEDOUT": "10060",
}  # fmt: skip


def _logon_type(text: str) -> str | None:
    return _LOGON_TYPES.get(text)


_LOGON_TYPES = {
    "Interactive": "2", "Network": "3", "Batch": "4", "Service": "5", "Unlock": "7",
    "NetworkCleartext": "8", "NewCredentials": "9", "RemoteInteractive": "10",
    "CachedInteractive": "11",
}  # fmt: skip


def _sysmon(events: str, **names: str) -> Iterator[_Moved]:
    for field, name in names.items():
        yield _Moved(_SYSMON, frozenset(events.split()), field.replace("__", "."), name)


def _security(events: str, **names: str) -> Iterator[_Moved]:
    for field, name in names.items():
        yield _Moved(_SECURITY, frozenset(events.split()), field.replace("__", "."), name)


_OWN_PROCESS = "1 2 3 4 5 7 9 11 12 13 14 15 17 18 22 23 24 25 26 27 28 29"
_FILES = "2 11 15 23 26 27 28 29"
_ACCOUNTS = "4720 4722 4723 4724 4725 4726 4738 4740 4767 4781 4798"
_GROUPS = (
    "4727 4728 4729 4730 4731 4732 4733 4734 4735 4737 4744 4745 4746 4747 4748 4749 4750 4751 "
    "4752 4753 4754 4755 4756 4757 4758 4759 4760 4761 4762 4763 4764 4799"
)
_BY_SUBJECT = (
    f"4648 4656 4657 4661 4662 4663 4670 4672 4673 4674 4688 4689 4697 4698 4699 4700 4701 4702 "
    "4706 4707 4713 4716 4717 4718 4719 4739 4741 4742 4743 4797 4817 4902 4904 4905 4907 4912 "
    "5136 5137 5138 5139 5140 5141 5145 5379 5380 5381 5382 1102 "
    f"{_ACCOUNTS} {_GROUPS}"
)
_BY_TARGET = "4624 4625 4634 4647 4768 4769 4770 4771 4776"

_FIELDS: tuple[_Moved, ...] = (
    *_sysmon(
        _OWN_PROCESS,
        process__entity_id="ProcessGuid",
        process__pid="ProcessId",
        process__executable="Image",
    ),
    *_sysmon(
        "1",
        process__command_line="CommandLine",
        process__working_directory="CurrentDirectory",
        process__parent__entity_id="ParentProcessGuid",
        process__parent__pid="ParentProcessId",
        process__parent__executable="ParentImage",
        process__parent__command_line="ParentCommandLine",
        process__pe__original_file_name="OriginalFileName",
        process__pe__company="Company",
        process__pe__description="Description",
        process__pe__product="Product",
        process__pe__file_version="FileVersion",
    ),
    *_sysmon(
        "7",
        file__pe__original_file_name="OriginalFileName",
        file__pe__company="Company",
        file__pe__description="Description",
        file__pe__product="Product",
        file__pe__file_version="FileVersion",
    ),
    *_sysmon(
        "8",
        process__entity_id="SourceProcessGuid",
        process__pid="SourceProcessId",
        process__executable="SourceImage",
    ),
    *_sysmon(
        "10",
        process__entity_id="SourceProcessGUID",
        process__pid="SourceProcessId",
        process__executable="SourceImage",
        process__thread__id="SourceThreadId",
    ),
    *_sysmon(
        "6 7",
        file__path="ImageLoaded",
        dll__path="ImageLoaded",
        file__code_signature__signed="Signed",
        file__code_signature__subject_name="Signature",
        file__code_signature__status="SignatureStatus",
        dll__code_signature__signed="Signed",
        dll__code_signature__subject_name="Signature",
        dll__code_signature__status="SignatureStatus",
    ),
    *_sysmon(_FILES, file__path="TargetFilename"),
    *_sysmon("17 18", file__name="PipeName"),
    *_sysmon("12 13 14", registry__path="TargetObject"),
    *_sysmon("22", dns__question__name="QueryName"),
    _Moved(_SYSMON, frozenset({"22"}), "sysmon.dns.status", "QueryStatus", _query_status),
    *_sysmon("8", winlog__event_data__TargetProcessGUID="TargetProcessGuid"),
    *_sysmon("9", file__path="Device"),
    *_sysmon("20", process__executable="Destination"),
    *_sysmon("25", message="Type"),
    *_sysmon("255", error__code="ID"),
    *_sysmon("23 26 28", sysmon__file__is_executable="IsExecutable"),
    *_sysmon("23 24", sysmon__file__archived="Archived"),
    *_sysmon("", rule__name="RuleName"),
    _Moved(_SYSMON, frozenset(), "@timestamp", "UtcTime", _utc_time),
    *_sysmon(
        "3",
        network__transport="Protocol",
        network__protocol="DestinationPortName",
        source__ip="SourceIp",
        source__port="SourcePort",
        source__domain="SourceHostname",
        destination__ip="DestinationIp",
        destination__port="DestinationPort",
        destination__domain="DestinationHostname",
    ),
    _Moved(_SYSMON, frozenset({"3"}), "network.direction", "Initiated", _initiated),
    _Moved(_SYSMON, frozenset({"3"}), "network.type", "SourceIsIpv6", _ipv6),
    _Moved(_SYSMON, frozenset({"3"}), "network.type", "DestinationIsIpv6", _ipv6),
    _Moved(_SECURITY, frozenset({"4688"}), "process.pid", "NewProcessId", _hexadecimal),
    _Moved(_SECURITY, frozenset({"4688"}), "process.parent.pid", "ProcessId", _hexadecimal),
    *_security(
        "4688",
        process__executable="NewProcessName",
        process__command_line="CommandLine",
        process__parent__executable="ParentProcessName",
    ),
    *(
        _Moved(_SECURITY, frozenset(events.split()), field, name, turn)
        for events in (f"4689 4656 4657 4661 4663 4670 4673 4674 4648 4985 {_BY_TARGET}",)
        for field, name, turn in (
            ("process.pid", "ProcessId", _hexadecimal),
            ("process.executable", "ProcessName", str),
        )
    ),
    *_security(
        _BY_SUBJECT,
        user__name="SubjectUserName",
        user__domain="SubjectDomainName",
        user__id="SubjectUserSid",
        winlog__logon__id="SubjectLogonId",
    ),
    *_security(_BY_TARGET, user__name="TargetUserName", user__domain="TargetDomainName"),
    *_security("4624 4625 4634 4647", user__id="TargetUserSid", winlog__logon__id="TargetLogonId"),
    *_security("4768 4771", user__id="TargetSid"),
    *_security(
        _ACCOUNTS,
        user__target__name="TargetUserName",
        user__target__domain="TargetDomainName",
        user__target__id="TargetSid",
    ),
    *_security(
        "4648", user__target__name="TargetUserName", user__target__domain="TargetDomainName"
    ),
    *_security(
        _GROUPS,
        group__name="TargetUserName",
        group__domain="TargetDomainName",
        group__id="TargetSid",
    ),
    *_security(
        "4697 4768 4769 4770 4771", service__name="ServiceName", service__type="ServiceType"
    ),
    *_security(
        "4648 4688",
        user__effective__name="TargetUserName",
        user__effective__domain="TargetDomainName",
        user__effective__id="TargetUserSid",
    ),
    *_security(
        "4741 4742 4743",
        winlog__computerObject__name="TargetUserName",
        winlog__computerObject__domain="TargetDomainName",
        winlog__computerObject__id="TargetSid",
    ),
    *_security(
        "4781", user__target__name="OldTargetUserName", user__changes__name="NewTargetUserName"
    ),
    *_security(
        "4778 4779",
        user__name="AccountName",
        user__domain="AccountDomain",
        winlog__logon__id="LogonID",
        source__ip="ClientAddress",
        related__ip="ClientAddress",
        source__domain="ClientName",
    ),
    *_security("4656 4660 4663 4670", file__path="ObjectName", registry__path="ObjectName"),
    *_security("4657", registry__path="ObjectName", registry__value="ObjectValueName"),
    *_security("4798 4799", process__executable="CallerProcessName"),
    *(
        _Moved(_SECURITY, frozenset({event}), "process.pid", "CallerProcessId", _hexadecimal)
        for event in ("4798", "4799")
    ),
    *(
        _Moved(_SECURITY, frozenset({event}), "winlog.logon.type", "LogonType", _logon_type)
        for event in ("4624", "4625", "4634", "4647")
    ),
    *_security(
        "4625",
        winlog__logon__failure__reason="FailureReason",
        winlog__logon__failure__status="Status",
        winlog__logon__failure__sub_status="SubStatus",
    ),
    *_security(
        f"4648 4964 5140 5145 {_BY_TARGET}",
        source__ip="IpAddress",
        source__port="IpPort",
    ),
    *_security("4624 4625", source__domain="WorkstationName"),
    *_security("4776", source__domain="Workstation"),
    *(
        _Moved(_EVENTLOG, frozenset({"1102", "104"}), field, name)
        for field, name in (
            ("user.name", "SubjectUserName"),
            ("user.domain", "SubjectDomainName"),
            ("user.id", "SubjectUserSid"),
        )
    ),
    *(
        _Moved(_POWERSHELL, frozenset({"4104"}), field, name)
        for field, name in (
            ("powershell.file.script_block_text", "ScriptBlockText"),
            ("powershell.file.script_block_id", "ScriptBlockId"),
            ("powershell.sequence", "MessageNumber"),
            ("powershell.total", "MessageTotal"),
            ("file.path", "Path"),
        )
    ),
    *(
        _Moved("PowerShellCore", frozenset({"4104"}), field, name)
        for field, name in (
            ("powershell.file.script_block_text", "ScriptBlockText"),
            ("powershell.file.script_block_id", "ScriptBlockId"),
            ("powershell.sequence", "MessageNumber"),
            ("powershell.total", "MessageTotal"),
            ("file.path", "Path"),
        )
    ),
)
"""Elastic's ingest pipelines of the Winlogbeat modules sysmon, security, powershell (7 and 8)."""

_HASHES: Mapping[str, tuple[str, ...]] = {
    "1": ("process",),
    "6": ("file",),
    "7": ("file",),
    "15": ("file",),
    "23": ("process", "file"),
    "24": ("process",),
    "25": ("process",),
    "26": ("process", "file"),
    "27": ("file",),
    "28": ("file",),
    "29": ("file",),
}
"""Whose the hashes of an event are; the versions of the modules differ about deleted files."""
_ALGORITHMS = ("sha1", "md5", "sha256", "imphash")


def map_back(paths: Paths, event_id: pa.Array, provider: pa.Array) -> list[tuple[str, pa.Array]]:
    """The event's own fields that ECS fields hold: name and values, null where none is held.

    >>> paths = {("process", "executable"): pa.array(["a.exe", "b.exe"])}
    >>> ids, names = pa.array(["1", "4688"]), pa.array([_SYSMON, _SECURITY])
    >>> [(name, values.to_pylist()) for name, values in map_back(paths, ids, names)]
    [('Image', ['a.exe', None]), ('NewProcessName', [None, 'b.exe'])]
    """
    out: list[tuple[str, pa.Array]] = []
    masks: dict[tuple[str, frozenset[str]], pa.Array] = {}
    for moved in _FIELDS:
        path = tuple(moved.field.split("."))
        values = paths.get(path)
        if values is None or pa.types.is_list(values.type):
            continue
        own = paths.get(("winlog", "event_data", moved.name))
        if own is not None and not own.null_count:
            continue
        key = (moved.provider, moved.events)
        mask = masks.get(key)
        if mask is None:
            mask = masks[key] = _mask(event_id, provider, *key)
        if pc.any(mask).as_py():
            turned = values if moved.turn is str else _turned(values, moved.turn)
            out.append((moved.name, pc.if_else(mask, turned, _NOTHING)))
    sysmon = pc.fill_null(pc.equal(provider, _SYSMON), False)
    if pc.any(sysmon).as_py():
        out += _sysmon_texts(paths, event_id, sysmon)
    out += powershell_texts(paths, event_id, provider)
    return [(name, values) for name, values in out if values.null_count < len(values)]


def _mask(event_id: pa.Array, provider: pa.Array, wanted: str, events: frozenset[str]) -> pa.Array:
    mask = pc.fill_null(pc.equal(provider, wanted), False)
    if events:
        mask = pc.and_(mask, pc.is_in(event_id, pa.array(sorted(events))))
    return mask


def _turned(values: pa.Array, turn: Callable[[str], str | None]) -> pa.Array:
    encoded = values.dictionary_encode()
    texts = [turn(v) for v in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _sysmon_texts(
    paths: Paths, event_id: pa.Array, sysmon: pa.Array
) -> Iterator[tuple[str, pa.Array]]:
    """What Sysmon writes as one text: the account, the hashes, the answers of a query."""
    user, domain = paths.get(("user", "name")), paths.get(("user", "domain"))
    if user is not None and domain is not None and ("winlog", "event_data", "User") not in paths:
        account = pc.binary_join_element_wise(domain, user, "\\")
        yield "User", pc.if_else(sysmon, account, _NOTHING)
    if ("winlog", "event_data", "Hashes") not in paths:
        yield from _hashes(paths, event_id, sysmon)
    yield from _registry_data(paths, sysmon)
    answers: Path = ("dns", "answers{}", "data")
    if answers in paths and ("winlog", "event_data", "QueryResults") not in paths:
        joined = pc.binary_join(paths[answers], ";")
        text = pc.binary_join_element_wise(joined, "", ";")
        yield "QueryResults", pc.if_else(sysmon, text, _NOTHING)


def _registry_data(paths: Paths, sysmon: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """What a registry value was set to, as Sysmon writes it: numbers by their hexadecimal."""
    texts = paths.get(("registry", "data", "strings{}"))
    if texts is None or ("winlog", "event_data", "Details") in paths:
        return
    kinds = paths.get(("registry", "data", "type"))
    names = [None] * len(texts) if kinds is None else kinds.to_pylist()
    details = [
        None if values is None else _details(";".join(values), kind)
        for values, kind in zip(texts.to_pylist(), names, strict=True)
    ]
    yield "Details", pc.if_else(sysmon, pa.array(details, pa.string()), _NOTHING)


def _details(text: str, kind: str | None) -> str:
    """As Sysmon writes it.

    >>> _details("1", "SZ_DWORD"), _details("a", "REG_SZ")
    ('DWORD (0x00000001)', 'a')
    """
    if kind in ("SZ_DWORD", "REG_DWORD") and text.isdigit():
        return f"DWORD (0x{int(text):08x})"
    if kind in ("SZ_QWORD", "REG_QWORD") and text.isdigit():
        return f"QWORD (0x{int(text) >> 32:08x}-0x{int(text) & 0xFFFFFFFF:08x})"
    return text


def _hashes(paths: Paths, event_id: pa.Array, sysmon: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    for owner in ("process", "file", "dll", ""):
        parts: list[pa.Array] = []
        for algorithm in _ALGORITHMS:
            places: tuple[Path, ...] = ((owner, "hash", algorithm), ("hash", algorithm))
            if algorithm == "imphash":
                places = (*places, (owner, "pe", "imphash"))
            place = next((p for p in places if p in paths and (p[0] == owner or not owner)), None)
            if place is not None:
                value = pc.utf8_upper(paths[place])
                prefix = pa.scalar(f"{algorithm.upper()}=")
                parts.append(pc.binary_join_element_wise(prefix, value, ""))
        if not parts:
            continue
        known = "file" if owner == "dll" else owner
        ids = [number for number, held in _HASHES.items() if known in held or not known]
        mask = pc.and_(sysmon, pc.is_in(event_id, pa.array(ids, pa.string())))
        joined = pc.binary_join_element_wise(*parts, ",", null_handling="skip")
        hashes = pc.if_else(pc.equal(joined, ""), _NOTHING, joined)
        # A stream's hash has a name of its own.
        stream = pc.fill_null(pc.equal(event_id, "15"), False)
        yield "Hashes", pc.if_else(pc.and_not(mask, stream), hashes, _NOTHING)
        yield "Hash", pc.if_else(pc.and_(mask, stream), hashes, _NOTHING)
