"""Classic multi-line WinEventLog text -> events; ``reading``, ``json_shapes``, ``shapes`` call it.

Splunk writes it where ``renderXml`` is off: a line with the time, ``Key=value`` lines, and the
rendered message last. What sends it on as a line of its own (syslog) puts blanks for the line ends.
The fields are those of the event's XML, as far as the message has them,
and beside them the names that the add-on gives the message's labels (``New_Process_Name``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from escudo.sources.events import Events
from escudo.sources.formats.classic_labels import LABELS, TRANSLATED
from escudo.sources.formats.column_cleanup import merge_fields
from escudo.sources.formats.event_columns import build_columns
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.text import LONGEST_EVENT, DamagedError, read_pieces
from escudo.sources.formats.xml_element import Field
from escudo.sources.opening import LogStream

_TIME = (
    r"(?:\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d(?:\.\d+)?(?: [AP]M)?"
    r"|\d{14}\.\d+(?:[+-]\d+)?)"
)
EVENT_START = re.compile(rf"(?m)(?:^|(?<=\0)){_TIME}(?:[ \t]*\r?\n|[ \t]+)(?=LogName=)")
"""What stands before the first key of an event: its time. A crash may leave NUL bytes before it."""
_ONE_LINE = re.compile(rf"({_TIME})[ \t]+(?=LogName=)")
_NEXT_KEY = re.compile(
    r"[ \t]+(?=(?:SourceName|EventCode|EventType|Type|ComputerName|User|Sid|SidType|Category"
    r"|CategoryString|TaskCategory|OpCode|RecordNumber|Keywords|Message)=)"
)
"""Splunk, "Monitor Windows event log data": the keys of an event. Their values may have blanks."""
_HEADER = re.compile(r"(\w+)=(.*)")
_LABEL = re.compile(r"([ \t]*)([^\s:][^:\t\n]{0,60}?):(?:[ \t]+(.*)|[ \t]*$)")
_US_TIME = re.compile(r"(\d+)/(\d+)/(\d+) (\d+):(\d+):(\d+)(\.\d+)?(?: ([AP]M))?")
_WMI_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)")
_NO_WORD = re.compile(r"\W+")
_SCRIPT = re.compile(
    r"\((\d+) of (\d+)\):\s?\n(.*)\n\s*ScriptBlock ID: (\S+)\s*(?:\nPath:[ \t]*(.*?)\s*)?$",
    re.DOTALL,
)

_EVENTS_AT_ONCE = 2_000
"""Events of a block (2026-11: each is a text of some 2 kB)."""

_LEVELS = {"critical": "1", "error": "2", "warning": "3", "information": "4", "verbose": "5"}
_SUCCESS, _FAILURE = "0x8020000000000000", "0x8010000000000000"
_KEYWORDS = {
    "Audit Success": _SUCCESS,
    "Audit Failure": _FAILURE,
    "Überwachung erfolgreich": _SUCCESS,
    "Überwachung gescheitert": _FAILURE,
    "Succès de l'audit": _SUCCESS,
    "Échec de l'audit": _FAILURE,
    "Auditoría correcta": _SUCCESS,
    "Error de auditoría": _FAILURE,
}
_PROVIDERS = {
    "Microsoft Windows security auditing.": "Microsoft-Windows-Security-Auditing",
    "Microsoft-Windows-Security-Auditing": "Microsoft-Windows-Security-Auditing",
}
_ABOUT = frozenset({"Subject", "Creator Subject"})
_OTHER_LABELS = frozenset({"Network Information", "Process Information", "Process"})
_SUBJECT = {
    "Security ID": "SubjectUserSid",
    "Account Name": "SubjectUserName",
    "Account Domain": "SubjectDomainName",
    "Domain Name": "SubjectDomainName",
    "Logon ID": "SubjectLogonId",
}
_TARGET = {
    "Security ID": "TargetUserSid",
    "Account Name": "TargetUserName",
    "Account Domain": "TargetDomainName",
    "Logon ID": "TargetLogonId",
    "Group Name": "TargetUserName",
    "Group Domain": "TargetDomainName",
}
_MEMBER = {"Security ID": "MemberSid", "Account Name": "MemberName"}
_BY_EVENT: Mapping[str, Mapping[str, str]] = {
    "7045": {
        "Service Name": "ServiceName",
        "Service File Name": "ImagePath",
        "Service Type": "ServiceType",
        "Service Start Type": "StartType",
        "Service Account": "AccountName",
    },
}
_CALCULATED = frozenset({"EventCode", "ComputerName", "RecordNumber"})
"""Names of the text that every Windows source derives from the System fields."""


@dataclass(slots=True)
class WindowsEvent:
    """One event's System fields, its own, and what only a shipper says."""

    system: dict[str, Field] = field(default_factory=dict)
    own: dict[str, Field] = field(default_factory=dict)
    rest: dict[str, Field] = field(default_factory=dict)


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The events of a stream, and what of it is no event."""
    text = ""
    line = 1
    with stream.open() as opened:
        try:
            for piece in read_pieces(opened):
                text += piece.decode("utf-8", "replace")
                starts = [m.start() for m in EVENT_START.finditer(text)]
                if len(starts) < 2 and len(text) < LONGEST_EVENT:
                    continue
                stop = starts[-1] if len(starts) > 1 else text.rfind("\n") + 1 or len(text)
                yield from _events(text[:stop], stream.name, line)
                line += text.count("\n", 0, stop)
                text = text[stop:]
        except DamagedError as error:
            yield from _events(text, stream.name, line)
            yield Rejected(stream.name, "the end", "SRC006", str(error), b"")
            return
    yield from _events(text, stream.name, line)


def _events(text: str, name: str, line: int) -> Iterator[Events | Rejected]:
    """The events of a text, and what stands before the first."""
    starts = [m.start() for m in EVENT_START.finditer(text)]
    before = (text[: starts[0]] if starts else text).strip("\0")
    if lines := sum(1 for line in before.splitlines() if line.strip()):
        excerpt = before.encode()[:EXCERPT_BYTES]
        message = "text before the first event"
        yield Rejected(name, f"line {line}", "SRC021", message, excerpt, lines)
    if not starts:
        return
    bounds = list(zip(starts, [*starts[1:], len(text)], strict=True))
    for at in range(0, len(bounds), _EVENTS_AT_ONCE):
        raws = [
            text[start:stop].rstrip("\0 \t\r\n")
            for start, stop in bounds[at : at + _EVENTS_AT_ONCE]
        ]
        events = [read_classic_event(raw) for raw in raws]
        yield Events(merge_events(events), pa.array(raws, pa.string()), zoneless=True)


def merge_events(events: list[WindowsEvent]) -> dict[str, pa.Array]:
    """The events' fields as columns: System and own as in the XML, then what a shipper says."""
    system = list(build_columns([event.system for event in events]).items())
    out = merge_fields(system, list(build_columns([event.own for event in events]).items()))
    for name, values in build_columns([event.rest for event in events]).items():
        out.setdefault(name, values)
    return {name: values for name, values in out.items() if values.null_count < len(values)}


def read_classic_event(text: str) -> WindowsEvent:
    """The fields of one event's text.

    Its time is written as in the United States, in the sender's zone, which it does not name: it
    is taken as UTC, and that is told (SRC064).

    >>> event = read_classic_event("03/05/2024 11:20:30 PM\\nLogName=Security\\nEventCode=4689\\n"
    ...     "Message=A process has exited.\\n\\nProcess Information:\\n\\tProcess ID:\\t0x1f\\n")
    >>> event.system["SystemTime"], event.own, event.rest["Process_ID"]
    ('2024-03-05T23:20:30.000Z', {'ProcessId': '0x1f'}, '0x1f')
    """
    lines = _begin_lines(text.replace("\r\n", "\n")).split("\n")
    header: dict[str, str] = {}
    message = ""
    for number, line in enumerate(lines[1:], 1):
        pair = _HEADER.match(line)
        if pair and pair[1] == "Message":
            message = "\n".join([pair[2], *lines[number + 1 :]]).rstrip()
            break
        if pair:
            header[pair[1]] = pair[2].strip()
    event = WindowsEvent(_system_of(header, lines[0].strip()))
    read_message(event, message)
    for name, value in header.items():
        known = name in _CALCULATED or (name == "Keywords" and name in event.system)
        if value and not known:
            event.rest.setdefault(name, value)
    event.rest["Message"] = message
    return event


def _begin_lines(text: str) -> str:
    """The text with the time and each key of the header at the beginning of a line.

    >>> _begin_lines("1/2/2024 3:04:05 PM LogName=a/b TaskCategory=Some Text Message=x Type=y")
    '1/2/2024 3:04:05 PM\\nLogName=a/b\\nTaskCategory=Some Text\\nMessage=x Type=y'
    """
    time = _ONE_LINE.match(text)
    if time is None:
        return text
    header, key, message = text[time.end() :].partition(" Message=")
    return f"{time[1]}\n{_NEXT_KEY.sub(chr(10), header)}" + (f"\nMessage={message}" if key else "")


def _system_of(header: Mapping[str, str], time: str) -> dict[str, Field]:
    source = header.get("SourceName", "")
    named = {
        "EventID": header.get("EventCode"),
        "Channel": header.get("LogName"),
        "Computer": header.get("ComputerName"),
        "EventRecordID": header.get("RecordNumber"),
        "Name": _provider_of(source, header.get("LogName", "")),
        "Level": _LEVELS.get(header.get("Type", "").lower()),
        "Keywords": _KEYWORDS.get(header.get("Keywords", "").replace("’", "'")),
        "UserID": header.get("Sid"),
        "SystemTime": _read_time(time),
    }
    if named["Keywords"]:
        named["Level"] = "0"
    return {name: value for name, value in named.items() if value}


def _provider_of(source: str, channel: str) -> str:
    """The provider by its own name; that of the audit is translated in the text."""
    if channel == "Security" and not re.fullmatch(r"[\w-]+", source, re.ASCII):
        return "Microsoft-Windows-Security-Auditing"
    return _PROVIDERS.get(source, source)


def _read_time(text: str) -> str | None:
    if parts := _US_TIME.fullmatch(text):
        month, day, year, hour, minute, second = (int(part) for part in parts.groups()[:6])
        if parts[8]:
            hour = hour % 12 + (12 if parts[8] == "PM" else 0)
        fraction = parts[7] or ".000"
    elif parts := _WMI_TIME.match(text):
        year, month, day, hour, minute, second = (int(part) for part in parts.groups()[:6])
        fraction = parts[7]
    else:
        return None
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"


def read_message(event: WindowsEvent, message: str) -> None:
    """Adds the fields that a rendered message has: by the XML's names where they are known, and
    by the add-on's names. What the event has already stays.

    The labels of Sysmon are the names themselves. An English Security message has sections, whose
    heads say whom an account is about.
    """
    event_id = str(event.system.get("EventID", ""))
    sysmon = "Sysmon" in f"{event.system.get('Channel', '')}{event.system.get('Name', '')}"
    if event_id == "4104" and (script := _SCRIPT.search(message)):
        names = ("MessageNumber", "MessageTotal", "ScriptBlockText", "ScriptBlockId", "Path")
        for name, text in zip(names, script.groups(), strict=True):
            if text:
                event.own.setdefault(name, text)
        return
    for section, label, value in map(_translate, _labelled(message)):
        if sysmon:
            event.own.setdefault(label, value)
            continue
        known = _BY_EVENT.get(event_id, {}).get(label) or _name_of(section, label)
        if known:
            event.own.setdefault(known, value)
        _add(event.rest, _NO_WORD.sub("_", label).strip("_"), value)


def _translate(labelled: tuple[str, str, str]) -> tuple[str, str, str]:
    """The English section and label. French puts a blank before the colon."""
    section, label, value = labelled
    names = (name.rstrip(" \u00a0\u202f").replace("’", "'") for name in (section, label))
    section, label = (TRANSLATED.get(name, name) for name in names)
    return section, label, value


def _name_of(section: str, label: str) -> str | None:
    if section in _ABOUT and label in _SUBJECT:
        return _SUBJECT[label]
    if label in _TARGET and section not in _OTHER_LABELS:
        return (_MEMBER if section == "Member" else _TARGET).get(label)
    return LABELS.get(label)


def _labelled(message: str) -> Iterator[tuple[str, str, str]]:
    """Section, label and value of each line that has them; a line without goes on the value."""
    section = ""
    held: tuple[str, str, list[str]] | None = None
    for line in message.split("\n")[1:]:
        if held is not None and _goes_on(*held[1:]):
            held[2].append(line.rstrip())
            continue
        label = _LABEL.fullmatch(line.rstrip())
        if label is None:
            if held is not None and line.strip():
                held[2].append(line.strip())
            elif not line.strip() and held is not None and held[1] not in _LONG:
                yield from _ready(held)
                held = None
            continue
        if held is not None:
            yield from _ready(held)
            held = None
        value = (label[3] or "").strip()
        if not label[1] and not value:
            section = label[2].strip()
            held = (section, section, [])
            continue
        held = (section if label[1] else "", label[2].strip(), [value] if value else [])
    if held is not None:
        yield from _ready(held)


def _goes_on(label: str, lines: list[str]) -> bool:
    """Whether a value is a document that has not ended: what looks like a label in it is none."""
    begun = label in _LONG and lines and lines[0].startswith("<")
    return bool(begun) and not lines[-1].endswith("</Task>")


_LONG = frozenset({"Task Content", "Task New Content", "Aufgabeninhalt"})


def _ready(held: tuple[str, str, list[str]]) -> Iterator[tuple[str, str, str]]:
    if held[2]:
        yield held[0], held[1], "\n".join(held[2])


def _add(fields: dict[str, Field], name: str, value: str) -> None:
    """A label that comes twice is multivalue, as the add-on's ``MV_ADD`` makes it."""
    if not name:
        return
    first = fields.get(name)
    if first is None:
        fields[name] = value
    elif isinstance(first, list):
        first.append(value)
    else:
        fields[name] = [first, value]
