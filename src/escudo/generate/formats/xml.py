"""Windows event XML as Splunk's XmlWinEventLog holds it: one event a line, quotes as ``'``.

Shapes are those of the example logs in Splunk's data source objects (security_content,
``data_sources/``), Sysmon schema as of version 13.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from escudo.generate.columns import Ints, gather, joined, numbers, system_times, utc_times
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
_TAIL = "</Data></EventData></Event>\n"


def escape_xml(text: str) -> str:
    """Escape as Windows does in event XML: quotes stay.

    >>> escape_xml('a "b" & <c>')
    'a "b" &amp; &lt;c&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape_xml(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _sysmon(code: int, t: Ints, tables: Tables, host: Ints, record: Ints) -> list[Part]:
    """The line up to the value of ``UtcTime``'s predecessor, ``RuleName``."""
    head = (
        f"<Event xmlns='{_NAMESPACE}'><System><Provider Name='Microsoft-Windows-Sysmon' "
        "Guid='{5770385F-C22A-43E0-BF4C-06F5698FFBD9}'/>"
        f"<EventID>{code}</EventID><Version>{_VERSIONS[code]}</Version><Level>4</Level>"
        f"<Task>{code}</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>"
        "<TimeCreated SystemTime='"
    )
    logged = t + 3_000_000 + (record % 977) * 6_700
    return [
        head,
        system_times(logged),
        "'/><EventRecordID>",
        numbers(record),
        gather(tables.constant("sysmon", lambda: _sysmon_host(tables)), host),
    ]


def _sysmon_host(tables: Tables) -> pl.Series:
    hosts = tables.world.hosts
    return pl.Series(
        [
            f"</EventRecordID><Correlation/><Execution ProcessID='{pid}' ThreadID='{tid}'/>"
            f"<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>{fqdn}</Computer>"
            "<Security UserID='S-1-5-18'/></System><EventData><Data Name='RuleName'>-"
            for pid, tid, fqdn in zip(
                hosts.system_pid.tolist(), tables.thread.tolist(), hosts.fqdn, strict=True
            )
        ]
    )


def _data(name: str) -> str:
    return f"</Data><Data Name='{name}'>"


def _process(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    t, host = frame["t"].to_numpy(), frame["host"].to_numpy()
    session, program = frame["session"].to_numpy(), program_row(tables, frame)
    world = tables.world
    about = by_program_and_windows(tables, "about", lambda p, w: _about(tables, p, w))
    hashes = by_program_and_windows(
        tables, "hashes", lambda p, w: f"{_data('Hashes')}{program_hashes(world, p, w)}"
    )
    who = tables.session
    parts: list[Part] = [
        *_sysmon(1, t, tables, host, record),
        _data("UtcTime"),
        utc_times(t),
        _data("ProcessGuid") + "{",
        frame["guid"],
        "}" + _data("ProcessId"),
        numbers(frame["pid"].to_numpy()),
        _data("Image"),
        frame["image"],
        gather(about, program),
        frame["command"],
        _data("CurrentDirectory"),
        current_directory(tables, frame),
        _data("User"),
        gather(who.qualified, session),
        _data("LogonGuid") + "{",
        gather(who.guid, session),
        "}" + _data("LogonId"),
        gather(who.logon_id, session),
        _data("TerminalSessionId"),
        gather(who.terminal, session),
        _data("IntegrityLevel"),
        gather(level_names(), frame["level"].to_numpy()),
        gather(hashes, program),
        _data("ParentProcessGuid") + "{",
        frame["parent_guid"],
        "}" + _data("ParentProcessId"),
        numbers(frame["parent_pid"].to_numpy()),
        _data("ParentImage"),
        frame["parent_image"],
        _data("ParentCommandLine"),
        frame["parent_command"],
        _TAIL,
    ]
    return joined(parts, len(frame))


def _about(tables: Tables, program: int, windows: int) -> str:
    p = tables.world.catalog.programs[program]
    fields = (
        ("FileVersion", file_version(tables.world, program, windows)),
        ("Description", p.description),
        ("Product", p.product),
        ("Company", p.company),
        ("OriginalFileName", p.original),
    )
    known = "".join(f"{_data(name)}{tables.escape(value)}" for name, value in fields)
    return known + _data("CommandLine")


def _of_process(tables: Tables, frame: pl.DataFrame, record: Ints, code: int) -> list[Part]:
    """Up to the process id: what the events of a running process have in common."""
    t, host = frame["t"].to_numpy(), frame["host"].to_numpy()
    return [
        *_sysmon(code, t, tables, host, record),
        _data("UtcTime"),
        utc_times(t),
        *_process_ids(frame),
    ]


def _process_ids(frame: pl.DataFrame) -> list[Part]:
    return [
        _data("ProcessGuid") + "{",
        frame["guid"],
        "}" + _data("ProcessId"),
        numbers(frame["pid"].to_numpy()),
    ]


def _end(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    parts = _of_process(tables, frame, record, 5)
    return joined([*parts, _data("Image"), frame["image"], _TAIL], len(frame))


def _file(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    parts: list[Part] = [
        *_of_process(tables, frame, record, 11),
        _data("Image"),
        frame["image"],
        _data("TargetFilename"),
        frame["a"],
        _data("CreationUtcTime"),
        utc_times(frame["t"].to_numpy()),
        _TAIL,
    ]
    return joined(parts, len(frame))


def _registry(code: int) -> Callable[[Tables, pl.DataFrame, Ints], pl.Series]:
    def render(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
        t, host = frame["t"].to_numpy(), frame["host"].to_numpy()
        parts: list[Part] = [
            *_sysmon(code, t, tables, host, record),
            _data("EventType"),
            "SetValue" if code == 13 else frame["b"],
            _data("UtcTime"),
            utc_times(t),
            *_process_ids(frame),
            _data("Image"),
            frame["image"],
            _data("TargetObject"),
            frame["a"],
        ]
        if code == 13:
            parts += [_data("Details"), frame["b"]]
        return joined([*parts, _TAIL], len(frame))

    return render


def _dns(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    parts: list[Part] = [
        *_of_process(tables, frame, record, 22),
        _data("QueryName"),
        frame["a"],
        _data("QueryStatus"),
        frame["b"],
        _data("QueryResults"),
        frame["c"],
        _data("Image"),
        frame["image"],
        _TAIL,
    ]
    return joined(parts, len(frame))


def _net(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    host, session = frame["host"].to_numpy(), frame["session"].to_numpy()
    parts: list[Part] = [
        *_of_process(tables, frame, record, 3),
        _data("Image"),
        frame["image"],
        _data("User"),
        gather(tables.session.qualified, session),
        _data("Protocol"),
        frame["a"],
        _data("Initiated") + "true" + _data("SourceIsIpv6") + "false" + _data("SourceIp"),
        gather(tables.address, host),
        _data("SourceHostname"),
        gather(tables.fqdn, host),
        _data("SourcePort"),
        numbers(49152 + (record * 7 + frame["t"].to_numpy() // 100) % 16_000),
        _data("SourcePortName") + "-" + _data("DestinationIsIpv6") + "false",
        _data("DestinationIp"),
        frame["b"],
        _data("DestinationHostname"),
        frame["c"],
        _data("DestinationPort"),
        frame["d"],
        _data("DestinationPortName"),
        frame["e"],
        _TAIL,
    ]
    return joined(parts, len(frame))


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
    parts = [*_of_process(tables, frame, record, 7), _data("Image"), frame["image"]]
    for name, column in zip(_LOAD_FIELDS, "abcdefghij", strict=True):
        parts += [_data(name), frame[column]]
    user = gather(tables.session.qualified, frame["session"].to_numpy())
    return joined([*parts, _data("User"), user, _TAIL], len(frame))


def _access(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    t, host = frame["t"].to_numpy(), frame["host"].to_numpy()
    pid = frame["pid"].to_numpy()
    parts: list[Part] = [
        *_sysmon(10, t, tables, host, record),
        _data("UtcTime"),
        utc_times(t),
        _data("SourceProcessGUID") + "{",
        frame["guid"],
        "}" + _data("SourceProcessId"),
        numbers(pid),
        _data("SourceThreadId"),
        numbers(pid + 4 * (record % 61 + 3)),
        _data("SourceImage"),
        frame["image"],
        _data("TargetProcessGUID") + "{",
        frame["target_guid"],
        "}" + _data("TargetProcessId"),
        numbers(frame["target_pid"].to_numpy()),
        _data("TargetImage"),
        frame["target_image"],
        _data("GrantedAccess"),
        frame["a"],
        _data("CallTrace"),
        frame["b"],
        _TAIL,
    ]
    return joined(parts, len(frame))


def _security_host(tables: Tables) -> pl.Series:
    return pl.Series(
        [
            "</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='"
            f"{tid}'/><Channel>Security</Channel><Computer>{fqdn}</Computer>"
            "<Security/></System><EventData>"
            for tid, fqdn in zip(tables.thread.tolist(), tables.world.hosts.fqdn, strict=True)
        ]
    )


def _security(
    code: int, task: int, t: Ints, tables: Tables, host: Ints, record: Ints
) -> list[Part]:
    head = (
        f"<Event xmlns='{_NAMESPACE}'><System><Provider "
        "Name='Microsoft-Windows-Security-Auditing' "
        "Guid='{54849625-5478-4994-A5BA-3E3B0328C30D}'/>"
        f"<EventID>{code}</EventID><Version>2</Version><Level>0</Level><Task>{task}</Task>"
        "<Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='"
    )
    return [
        head,
        system_times(t),
        "'/><EventRecordID>",
        numbers(record),
        gather(tables.constant("security", lambda: _security_host(tables)), host),
    ]


def _fields(names: tuple[str, ...], values: list[Part]) -> list[Part]:
    parts: list[Part] = []
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        parts += [("</Data>" if i else "") + f"<Data Name='{name}'>", value]
    return [*parts, _TAIL]


def _audit(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    t, host = frame["t"].to_numpy(), frame["host"].to_numpy()
    parts = _security(4688, 13312, t, tables, host, record)
    values = audit_fields(tables, frame, resolved=True)
    return joined([*parts, *_fields(AUDIT_FIELDS, values)], len(frame))


def _logon(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    t, host = frame["t"].to_numpy(), frame["host"].to_numpy()
    parts = _security(4624, 12544, t, tables, host, record)
    values = [
        joined(["{", value, "}"], len(frame)) if name == "LogonGuid" else value
        for name, value in zip(
            LOGON_FIELDS, logon_fields(tables, frame, resolved=True), strict=True
        )
    ]
    return joined([*parts, *_fields(LOGON_FIELDS, values)], len(frame))


XML = Format(
    "xml",
    escape_xml,
    unescape_xml,
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

SECURITY = Format(
    "4688",
    escape_xml,
    unescape_xml,
    {"audit": ("security", _audit), "logon": ("security", _logon)},
    audit_all=True,
)
