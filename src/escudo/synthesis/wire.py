"""The fields of an event -> a line of the format that its source writes; trials are made of them.

``WRITERS`` has the families that need a writer of their own. The events of any other
family are written as JSON, or as the text that the family reads (``find_wire``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import orjson

from escudo.sources import Family
from escudo.synthesis.values import items_of
from escudo.synthesis.wire_texts import TextWriter, name_part

_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
USER_DATA = "UserData_Xml"
"""The field that holds what is inside of an event's element UserData, tags and all."""
_SYSTEM = frozenset(
    {
        *("Name", "Guid", "EventSourceName", "EventID", "Qualifiers", "Version", "Level", "Task"),
        *("Opcode", "Keywords", "SystemTime", "EventRecordID", "ProcessID", "ThreadID", "Channel"),
        *("Computer", "UserID", "ActivityID", "RelatedActivityID"),
    }
)


@dataclass(frozen=True)
class WireFormat:
    """How events of a family are written.

    ``write`` makes a line of an event's fields and its time (epoch seconds); ``suffix`` is the
    ending by which a file of them is read. ``named`` are the words by which content names the
    source. ``carrier`` is the field that text goes to which may be anywhere in an event. Events
    that are ``labelled`` come in with a source type, as an input of Splunk gives it; whose others
    are is seen in them. ``holds`` says which fields an event can have; ``defaults`` are texts that
    fit where they stand, ``forms`` regular expressions of those that do. ``parts`` are the first of
    fields that are read as one.

    >>> WRITERS["crowdstrike_fdr"].write({"event_simpleName": "EndOfProcess"}, 1.5)
    '{"event_simpleName":"EndOfProcess","timestamp":"1500"}'
    """

    suffix: str
    write: Callable[[Mapping[str, str], float], str]
    named: str = ""
    carrier: str = "Message"
    labelled: bool = False
    holds: Callable[[str], bool] = lambda name: True
    defaults: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[str] = ()


def _escape(text: str) -> str:
    """As Windows escapes text in event XML; line ends are references, so that they last."""
    for character, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, escaped)
    return text.replace("\r", "&#13;").replace("\n", "&#10;")


def _quoted(text: str) -> str:
    return "'" + _escape(text).replace("'", "&apos;") + "'"


def utc_text(time: float, digits: int = 7) -> str:
    """A time as Windows writes it.

    >>> utc_text(0.25)
    '1970-01-01T00:00:00.2500000Z'
    """
    at = datetime.fromtimestamp(time, UTC)
    fraction = f"{at.microsecond:06d}0"[:digits]
    return f"{at:%Y-%m-%dT%H:%M:%S}.{fraction}Z"


def _write_xml(fields: Mapping[str, str], time: float) -> str:
    """Windows event XML on one line, as ``XmlWinEventLog`` holds it."""

    def element(name: str) -> str:
        return f"<{name}>{_escape(fields[name])}</{name}>" if name in fields else ""

    def attributes(**names: str) -> str:
        given = ((a, fields[n]) for a, n in names.items() if n in fields)
        return "".join(f" {a}={_quoted(v)}" for a, v in given)

    system = "".join(
        (
            f"<Provider{attributes(Name='Name', Guid='Guid', EventSourceName='EventSourceName')}/>",
            *(element(n) for n in ("EventID", "Version", "Level", "Task", "Opcode", "Keywords")),
            f"<TimeCreated SystemTime='{fields.get('SystemTime', utc_text(time))}'/>",
            element("EventRecordID"),
            f"<Correlation{attributes(ActivityID='ActivityID')}/>",
            f"<Execution{attributes(ProcessID='ProcessID', ThreadID='ThreadID')}/>",
            element("Channel"),
            element("Computer"),
            f"<Security{attributes(UserID='UserID')}/>",
        )
    )
    data = "".join(
        f"<Data Name={_quoted(name)}>{_escape(value)}</Data>"
        for name, value in fields.items()
        if name not in _SYSTEM and name != USER_DATA
    )
    own = f"<EventData>{data}</EventData>"
    if USER_DATA in fields:
        own = f"<UserData>{make_xml(fields[USER_DATA])}</UserData>"
    return f"<Event xmlns='{_NAMESPACE}'><System>{system}</System>{own}</Event>"


_OPENED = re.compile(r"<([A-Za-z_][\w.:-]*)(?:\s[^<>]*)?(?<!/)>[^<]*")


def make_xml(text: str) -> str:
    """A text as what is inside of an element: what it opens is closed; one that is no XML all the
    same is put into an element.

    >>> make_xml("<Name>a<Path>b</Path>"), make_xml("a & b")
    ('<Name>a</Name><Path>b</Path>', '<EventXML><Text>a &amp; b</Text></EventXML>')
    """
    if text.startswith("<"):
        closed = _OPENED.sub(lambda m: m[0] + ("" if f"</{m[1]}>" in text else f"</{m[1]}>"), text)
        try:
            ElementTree.fromstring(f"<all>{closed}</all>")
            return closed
        except ElementTree.ParseError:
            pass
    return f"<EventXML><Text>{_escape(text)}</Text></EventXML>"


def _write_sysmon(fields: Mapping[str, str], time: float) -> str:
    known = {"UtcTime": utc_text(time, 3).replace("T", " ").rstrip("Z"), **fields}
    return _write_xml({"Task": fields.get("EventID", ""), **known}, time)


def _write_fdr(fields: Mapping[str, str], time: float) -> str:
    return orjson.dumps({**fields, "timestamp": str(round(time * 1000))}).decode()


def _write_defender(fields: Mapping[str, str], time: float) -> str:
    row = {"Timestamp": utc_text(time), **fields}
    return orjson.dumps({"category": "AdvancedHunting", "properties": row}).decode()


def _write_nested(
    time_field: str, units: int | None = None
) -> Callable[[Mapping[str, str], float], str]:
    """JSON whose dotted names are objects in objects, and ``{}`` lists, as ``spath`` reads them.

    ``units``: how many of a second the time is counted in since 1970; else it is as ISO 8601 says.
    """

    def write(fields: Mapping[str, str], time: float) -> str:
        at = utc_text(time) if units is None else str(round(time * units))
        return nest({time_field: at, **fields})

    return write


_UNITS = {"aws_security_lake": 1000, "osquery": 1, "cisco_secure_firewall": 1, "cisco_nvm": 1}
"""Units of a second in the times of sources that count them (OCSF, "Timestamp"; osquery,
"unixTime"; eStreamer, "FirstPacketSecond"; NVM, "fss")."""


def nest(fields: Mapping[str, str]) -> str:
    """Fields as a JSON object. ``{}`` after a name is a list; of several values of a field each is
    in an item of its own of the innermost one.

    >>> nest({"actor.email": "ida@example.com", "events{}.name": "login", "tags{}": "a\\x1eb"})
    '{"actor":{"email":"ida@example.com"},"events":[{"name":"login"}],"tags":["a","b"]}'
    """
    whole: dict[str, Any] = {}
    for name, value in fields.items():
        outer, mark, inner = name.rpartition("{}")
        if not mark:
            _put(whole, name.split("."), value)
            continue
        place = outer.split(".")
        holder = _open(whole, place[:-1])
        items = holder.get(place[-1])
        if not isinstance(items, list):
            items = holder[place[-1]] = []
        for number, text in enumerate(items_of(value)):
            if not inner:
                items.append(text)
                continue
            if number == len(items):
                items.append({})
            _put(items[number], inner.removeprefix(".").split("."), text)
    return orjson.dumps(whole).decode()


def _put(node: dict[str, Any], place: Sequence[str], text: str) -> None:
    _open(node, place[:-1])[place[-1]] = text


def _open(node: dict[str, Any], place: Sequence[str]) -> dict[str, Any]:
    """The object at a place, made where there is none; of a list, its first item."""
    for part in place:
        plain = part.removesuffix("{}")
        below = node.get(plain)
        if isinstance(below, list):
            below = below[0] if below else None
        if not isinstance(below, dict):
            below = {}
            node[plain] = below if plain == part else [below]
        node = below
    return node


_write_streams = _write_nested("metadata.eventCreationTime")
WRITERS: Mapping[str, WireFormat] = {
    "sysmon": WireFormat(".xml", _write_sysmon, "sysmon event", "CommandLine"),
    "windows_security": WireFormat(".xml", _write_xml, "windows event log security"),
    "crowdstrike_fdr": WireFormat(".json", _write_fdr, "crowdstrike", "CommandLine"),
    "windows_powershell": WireFormat(".xml", _write_xml, "powershell", "ScriptBlockText"),
    "sysmon_linux": WireFormat(".xml", _write_sysmon, "sysmon for linux", "CommandLine"),
    "windows_other": WireFormat(".xml", _write_xml, "windows event log"),
    "crowdstrike_streams": WireFormat(".json", _write_streams, carrier="event.DetectDescription"),
    "defender": WireFormat(".json", _write_defender),
    "json_generic": WireFormat(".json", _write_nested("timestamp")),
}
"""The families with a writer of their own."""
XML_FAMILIES = frozenset({"windows_security", "windows_powershell", "windows_other", "sysmon"})
"""The families whose events are Windows event XML."""


def find_wire(family: Family) -> WireFormat | None:
    """How events of a family are written; None where they cannot be."""
    known = WRITERS.get(family.name)
    if known is not None:
        return known
    named, labelled = family.title.lower(), bool(family.labels)
    if family.text is None:
        write = _write_nested(family.time[0], _UNITS.get(family.name))
        return WireFormat(".json", write, named=named, carrier="message", labelled=labelled)
    lines = TextWriter(family.text, tuple(family.declared), nest)
    if not (labelled and lines.can_write):
        return None
    return WireFormat(
        ".log",
        lines.write,
        named=named,
        carrier=lines.carrier,
        labelled=True,
        holds=lines.holds,
        defaults=lines.find_defaults(),
        forms=lines.find_forms(),
        parts=[name_part(rule, 0) for rule in family.text.join],
    )
