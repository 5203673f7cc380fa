"""JSON lines as ``evtx_dump -o jsonl`` writes them: attributes in ``#attributes``, numeric ids.

Shape: the ``evtx`` crate's JSON of real Sysmon and Security logs (GUIDs without braces, six
decimals of seconds, empty elements as null).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson
import polars as pl

from escudo.generate.columns import Ints, gather, joined, micro_times, numbers, utc_times
from escudo.generate.formats.base import (
    Format,
    Part,
    Tables,
    by_program_and_windows,
    current_directory,
    file_version,
    level_names,
    program_hashes,
    program_row,
)
from escudo.generate.formats.security import AUDIT_FIELDS, LOGON_FIELDS, audit_fields, logon_fields

_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
_VERSIONS = {1: 5, 3: 5, 5: 3, 7: 3, 10: 3, 11: 2, 12: 2, 13: 2, 22: 5}
_SYSMON = ("Microsoft-Windows-Sysmon", "5770385F-C22A-43E0-BF4C-06F5698FFBD9")
_AUDITING = ("Microsoft-Windows-Security-Auditing", "54849625-5478-4994-A5BA-3E3B0328C30D")
_TAIL = "}}}\n"

Field = tuple[str, Part, bool]
"""Name, text, and whether it is quoted."""


def escape_json(text: str) -> str:
    """The inside of a JSON string.

    >>> escape_json('C:\\\\x "y"')
    'C:\\\\\\\\x \\\\"y\\\\"'
    """
    return orjson.dumps(text).decode()[1:-1]


def unescape_json(text: str) -> str:
    value: str = orjson.loads(f'"{text}"')
    return value


def _line(
    tables: Tables,
    t: Ints,
    frame: pl.DataFrame,
    record: Ints,
    code: int,
    fields: Sequence[Field],
    *,
    security_task: int | None = None,
) -> pl.Series:
    host = frame["host"].to_numpy()
    secure = security_task is not None
    provider, guid = _AUDITING if secure else _SYSMON
    head = (
        f'{{"Event":{{"#attributes":{{"xmlns":"{_NAMESPACE}"}},"System":{{"Provider":'
        f'{{"#attributes":{{"Name":"{provider}","Guid":"{guid}"}}}},"EventID":{code},'
        f'"Version":{2 if secure else _VERSIONS[code]},"Level":{0 if secure else 4},'
        f'"Task":{security_task if secure else code},"Opcode":0,'
        f'"Keywords":"{"0x8020000000000000" if secure else "0x8000000000000000"}",'
        '"TimeCreated":{"#attributes":{"SystemTime":"'
    )
    parts: list[Part] = [
        head,
        micro_times(t),
        '"}},"EventRecordID":',
        numbers(record),
        gather(tables.constant(provider, lambda: _host_part(tables, secure)), host),
    ]
    before = ""
    for i, (name, value, quoted) in enumerate(fields):
        quote = '"' if quoted else ""
        comma = "," if i else ""
        parts += [f'{before}{comma}"{name}":{quote}', value]
        before = quote
    return joined([*parts, before + _TAIL], len(frame))


def _host_part(tables: Tables, secure: bool) -> pl.Series:
    hosts = tables.world.hosts
    channel = "Security" if secure else "Microsoft-Windows-Sysmon/Operational"
    security = "null" if secure else '{"#attributes":{"UserID":"S-1-5-18"}}'
    return pl.Series(
        [
            f',"Correlation":null,"Execution":{{"#attributes":{{"ProcessID":{4 if secure else pid}'
            f',"ThreadID":{tid}}}}},"Channel":"{channel}","Computer":"{fqdn}",'
            f'"Security":{security}}},"EventData":{{'
            for pid, tid, fqdn in zip(
                hosts.system_pid.tolist(), tables.thread.tolist(), hosts.fqdn, strict=True
            )
        ]
    )


def _sysmon(
    tables: Tables, frame: pl.DataFrame, record: Ints, code: int, fields: Sequence[Field]
) -> pl.Series:
    t = frame["t"].to_numpy()
    logged = t + 3_000_000 + (record % 977) * 6_700
    return _line(tables, logged, frame, record, code, [("RuleName", "-", True), *fields])


def _ids(frame: pl.DataFrame) -> list[Field]:
    return [
        ("ProcessGuid", frame["guid"], True),
        ("ProcessId", numbers(frame["pid"].to_numpy()), False),
    ]


def _time(frame: pl.DataFrame, name: str = "UtcTime") -> Field:
    return (name, utc_times(frame["t"].to_numpy()), True)


def _process(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    session, program = frame["session"].to_numpy(), program_row(tables, frame)
    world, who = tables.world, tables.session
    about = [
        (name, gather(by_program_and_windows(tables, name, text), program), True)
        for name, text in _about(tables)
    ]
    hashes = by_program_and_windows(tables, "hashes", lambda p, w: program_hashes(world, p, w))
    fields: list[Field] = [
        _time(frame),
        *_ids(frame),
        ("Image", frame["image"], True),
        *about,
        ("CommandLine", frame["command"], True),
        ("CurrentDirectory", current_directory(tables, frame), True),
        ("User", gather(who.qualified, session), True),
        ("LogonGuid", gather(who.guid, session), True),
        ("LogonId", gather(who.logon_id, session), True),
        ("TerminalSessionId", gather(who.terminal, session), False),
        ("IntegrityLevel", gather(level_names(), frame["level"].to_numpy()), True),
        ("Hashes", gather(hashes, program), True),
        ("ParentProcessGuid", frame["parent_guid"], True),
        ("ParentProcessId", numbers(frame["parent_pid"].to_numpy()), False),
        ("ParentImage", frame["parent_image"], True),
        ("ParentCommandLine", frame["parent_command"], True),
    ]
    return _sysmon(tables, frame, record, 1, fields)


def _about(tables: Tables) -> list[tuple[str, Callable[[int, int], str]]]:
    programs, escape = tables.world.catalog.programs, tables.escape
    return [
        ("FileVersion", lambda p, w: escape(file_version(tables.world, p, w))),
        ("Description", lambda p, _: escape(programs[p].description)),
        ("Product", lambda p, _: escape(programs[p].product)),
        ("Company", lambda p, _: escape(programs[p].company)),
        ("OriginalFileName", lambda p, _: escape(programs[p].original)),
    ]


def _end(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    fields = [_time(frame), *_ids(frame), ("Image", frame["image"], True)]
    return _sysmon(tables, frame, record, 5, fields)


def _file(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    fields = [
        _time(frame),
        *_ids(frame),
        ("Image", frame["image"], True),
        ("TargetFilename", frame["a"], True),
        _time(frame, "CreationUtcTime"),
    ]
    return _sysmon(tables, frame, record, 11, fields)


def _registry(code: int) -> Callable[[Tables, pl.DataFrame, Ints], pl.Series]:
    def render(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
        fields: list[Field] = [
            ("EventType", "SetValue" if code == 13 else frame["b"], True),
            _time(frame),
            *_ids(frame),
            ("Image", frame["image"], True),
            ("TargetObject", frame["a"], True),
        ]
        if code == 13:
            fields.append(("Details", frame["b"], True))
        return _sysmon(tables, frame, record, code, fields)

    return render


def _dns(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    fields = [
        _time(frame),
        *_ids(frame),
        ("QueryName", frame["a"], True),
        ("QueryStatus", frame["b"], True),
        ("QueryResults", frame["c"], True),
        ("Image", frame["image"], True),
    ]
    return _sysmon(tables, frame, record, 22, fields)


def _net(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    host, session = frame["host"].to_numpy(), frame["session"].to_numpy()
    port = numbers(49152 + (record * 7 + frame["t"].to_numpy() // 100) % 16_000)
    fields: list[Field] = [
        _time(frame),
        *_ids(frame),
        ("Image", frame["image"], True),
        ("User", gather(tables.session.qualified, session), True),
        ("Protocol", frame["a"], True),
        ("Initiated", "true", False),
        ("SourceIsIpv6", "false", False),
        ("SourceIp", gather(tables.address, host), True),
        ("SourceHostname", gather(tables.fqdn, host), True),
        ("SourcePort", port, False),
        ("SourcePortName", "-", True),
        ("DestinationIsIpv6", "false", False),
        ("DestinationIp", frame["b"], True),
        ("DestinationHostname", frame["c"], True),
        ("DestinationPort", frame["d"], False),
        ("DestinationPortName", frame["e"], True),
    ]
    return _sysmon(tables, frame, record, 3, fields)


_LOAD_FIELDS = (
    "ImageLoaded",
    "FileVersion",
    "Description",
    "Product",
    "Company",
    "OriginalFileName",
    "Hashes",
    "Signed",
    "Signature",
    "SignatureStatus",
)


def _load(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    loaded = [
        (name, frame[column], True) for name, column in zip(_LOAD_FIELDS, "abcdefghij", strict=True)
    ]
    user = gather(tables.session.qualified, frame["session"].to_numpy())
    fields = [
        _time(frame),
        *_ids(frame),
        ("Image", frame["image"], True),
        *loaded,
        ("User", user, True),
    ]
    return _sysmon(tables, frame, record, 7, fields)


def _access(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    pid = frame["pid"].to_numpy()
    fields: list[Field] = [
        _time(frame),
        ("SourceProcessGUID", frame["guid"], True),
        ("SourceProcessId", numbers(pid), False),
        ("SourceThreadId", numbers(pid + 4 * (record % 61 + 3)), False),
        ("SourceImage", frame["image"], True),
        ("TargetProcessGUID", frame["target_guid"], True),
        ("TargetProcessId", numbers(frame["target_pid"].to_numpy()), False),
        ("TargetImage", frame["target_image"], True),
        ("GrantedAccess", frame["a"], True),
        ("CallTrace", frame["b"], True),
    ]
    return _sysmon(tables, frame, record, 10, fields)


def _audit(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    values = audit_fields(tables, frame, resolved=False)
    fields = [(n, v, True) for n, v in zip(AUDIT_FIELDS, values, strict=True)]
    t = frame["t"].to_numpy()
    return _line(tables, t, frame, record, 4688, fields, security_task=13312)


_UNQUOTED = frozenset(("LogonType", "KeyLength"))


def _logon(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    values = logon_fields(tables, frame, resolved=False)
    fields = [(n, v, n not in _UNQUOTED) for n, v in zip(LOGON_FIELDS, values, strict=True)]
    t = frame["t"].to_numpy()
    return _line(tables, t, frame, record, 4624, fields, security_task=12544)


EVTX_JSON = Format(
    "evtx-json",
    escape_json,
    unescape_json,
    {
        "process": ("sysmon", _process),
        "end": ("sysmon", _end),
        "file": ("sysmon", _file),
        "value": ("sysmon", _registry(13)),
        "key": ("sysmon", _registry(12)),
        "dns": ("sysmon", _dns),
        "net": ("sysmon", _net),
        "load": ("sysmon", _load),
        "access": ("sysmon", _access),
        "audit": ("security", _audit),
        "logon": ("security", _logon),
    },
    audit_all=False,
)
