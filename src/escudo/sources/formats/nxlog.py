"""Flat JSON of Windows events (NXLog's im_msvistalog, Log Analytics) -> their own fields.

``json_forms`` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.column_cleanup import merge_fields
from escudo.sources.formats.event_columns import build_columns
from escudo.sources.formats.json_leaves import Paths
from escudo.sources.formats.xml_element import Field, NotAnEventError, read_event_fields
from escudo.sources.times import parse_times

_SYSTEM: Mapping[str, str] = {
    "EventID": "EventID",
    "Version": "Version",
    "Level": "Level",
    "Task": "Task",
    "OpcodeValue": "Opcode",
    "Keywords": "Keywords",
    "EventRecordID": "EventRecordID",
    "RecordNumber": "EventRecordID",
    "Channel": "Channel",
    "Hostname": "Computer",
    "Computer": "Computer",
    "SourceName": "Name",
    "EventSourceName": "Name",
    "Provider": "Name",
    "ProviderGuid": "Guid",
    "ExecutionProcessID": "ProcessID",
    "ThreadID": "ThreadID",
    "ExecutionThreadID": "ThreadID",
    "UserID": "UserID",
    "ActivityID": "ActivityID",
    "RelatedActivityID": "RelatedActivityID",
}
"""NXLog Manual, "Event Log for Windows (im_msvistalog)": its fields, and the System elements."""


_EVENT_TYPES = pa.array(
    ["CRITICAL", "ERROR", "WARNING", "INFO", "VERBOSE", "DEBUG", "AUDIT_SUCCESS", "AUDIT_FAILURE"]
)
_LEVELS = pa.array(["1", "2", "3", "4", "5", "5", "0", "0"])
_SEVERITIES = pa.array(["1", "2", "3", "4", "5"])
_SEVERITY_LEVELS = pa.array(["5", "4", "3", "2", "1"])
_PARTS = frozenset({"EventData", "UserData"})
_QUARTER = 900 * 1_000_000
_ZONED = r"(?:Z|[+-]\d\d:?\d\d)$|^\d+(?:\.\d+)?$"


def read_flat_fields(paths: Paths) -> dict[str, pa.Array]:
    """The fields of flat Windows events.

    NXLog gives Keywords as a signed number, the level as its own severity, and the opcode by
    name beside ``OpcodeValue``. Its EventType is the class of the event, unless the event has a
    field of that name (Sysmon 12 to 14, 17 to 21).
    """
    columns = {".".join(path): values for path, values in paths.items()}
    size = len(next(iter(columns.values())))
    system: list[tuple[str, pa.Array]] = []
    own: list[tuple[str, pa.Array]] = []
    numbered = "OpcodeValue" in columns
    for name, values in columns.items():
        if name == "Keywords":
            system.append((name, _keywords(values)))
        elif name in _SYSTEM:
            system.append((_SYSTEM[name], values))
        elif name == "Opcode":
            system.append(("Nxlog.Opcode" if numbered else "Opcode", values))
        elif name == "TimeCreated":
            continue
        elif name in _PARTS and pc.any(pc.match_substring_regex(values, r"^\s*[<{]")).as_py():
            own += _written_part(name, values)
        elif name.partition(".")[0] in _PARTS and "." in name:
            own.append((name.partition(".")[2], values))
        elif name == "EventType":
            shipper = pc.is_in(values, _EVENT_TYPES)
            nothing = pa.scalar(None, pa.string())
            system.append(("Nxlog.EventType", pc.if_else(shipper, values, nothing)))
            own.append((name, pc.if_else(shipper, nothing, values)))
        else:
            own.append((name, values))
    if "Level" not in columns and "SeverityValue" in columns:
        system.append(("Level", _level(columns, size)))
    time = _system_time(columns)
    if time is not None:
        system.append(("SystemTime", time))
    return {name: v for name, v in merge_fields(system, own).items() if v.null_count < len(v)}


def _written_part(name: str, values: pa.Array) -> list[tuple[str, pa.Array]]:
    """The fields of a part that is a text of its own; text that is neither form stays.

    Log Analytics has XML in its table SecurityEvent, and an object as JSON in WindowsEvent.
    """
    rows: list[dict[str, Field]] = []
    for text in values.to_pylist():
        try:
            rows.append(_read_part(text) if text else {})
        except (NotAnEventError, orjson.JSONDecodeError):
            rows.append({name: text})
    return list(build_columns(rows).items())


def _read_part(text: str) -> dict[str, Field]:
    """
    >>> _read_part('{"Image": "a.exe", "ProcessId": 7, "User": "", "Data": ["x", "y"]}')
    {'Image': 'a.exe', 'ProcessId': '7', 'Data': ['x', 'y']}
    """
    if not text.lstrip().startswith("{"):
        return read_event_fields(f"<Event><System></System>{text}</Event>")
    fields: dict[str, Field] = {}
    for name, value in orjson.loads(text).items():
        if isinstance(value, list):
            fields[name] = [_leaf_text(each) for each in value]
        elif value not in (None, ""):
            fields[name] = _leaf_text(value)
    return fields


def _leaf_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _keywords(values: pa.Array) -> pa.Array:
    """A signed 64-bit number as the hexadecimal of Windows."""
    encoded = values.dictionary_encode()
    texts = [_hexadecimal(v) for v in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _hexadecimal(text: str) -> str:
    """
    >>> _hexadecimal("-9214364837600034816"), _hexadecimal("0x8020000000000000")
    ('0x8020000000000000', '0x8020000000000000')
    """
    try:
        return f"0x{int(text) & 0xFFFFFFFFFFFFFFFF:x}"
    except ValueError:
        return text


def _level(columns: Mapping[str, pa.Array], size: int) -> pa.Array:
    nothing = pa.nulls(size, pa.string())
    kind = columns.get("EventType", nothing)
    by_type = _LEVELS.take(pc.index_in(kind, _EVENT_TYPES))
    severity = columns["SeverityValue"]
    by_severity = _SEVERITY_LEVELS.take(pc.index_in(severity, _SEVERITIES))
    audit = pc.fill_null(pc.equal(pc.utf8_lower(columns["Channel"]), "security"), False)
    return pc.coalesce(by_type, pc.if_else(audit, "0", by_severity))


def _system_time(columns: Mapping[str, pa.Array]) -> pa.Array | None:
    """When the event was created, in UTC.

    NXLog's EventTime is the sender's local time without a zone, and so is EventReceivedTime; where
    Logstash took the event over, ``@timestamp`` is the same moment in UTC. Their difference, to a
    quarter of an hour, is the zone. So it is with Sysmon's own UtcTime. Where nothing tells, the
    time is taken as UTC, as it stands.
    """
    created = columns.get("TimeCreated")
    logged = columns.get("EventTime")
    receipt = columns.get("@timestamp", columns.get("TimeGenerated"))
    if logged is None:
        known = [v for v in (created, receipt) if v is not None]
        return pc.coalesce(*known) if known else None
    moment = parse_times(logged).cast(pa.int64())
    received, utc = columns.get("EventReceivedTime"), columns.get("@timestamp")
    if received is not None and utc is not None:
        ahead = pc.subtract(
            parse_times(received).cast(pa.int64()), parse_times(utc).cast(pa.int64())
        )
        quarters = pc.round(pc.divide(ahead.cast(pa.float64(), safe=False), float(_QUARTER)))
        offset = pc.multiply(quarters.cast(pa.int64()), _QUARTER)
        zoned = pc.match_substring_regex(logged, _ZONED)
        moment = pc.subtract(moment, pc.if_else(zoned, 0, pc.fill_null(offset, 0)))
    elif "UtcTime" in columns:
        moment = pc.subtract(moment, _offset_beside(logged, moment, columns["UtcTime"]))
    text = pc.strftime(moment.cast(pa.timestamp("us")), "%Y-%m-%dT%H:%M:%S")
    derived = pc.binary_join_element_wise(text, pa.scalar("000Z"), "")
    known = [derived, *(v for v in (created,) if v is not None)]
    return pc.coalesce(*known)


def _offset_beside(logged: pa.Array, moment: pa.Array, utc: pa.Array) -> pa.Array:
    """Microseconds that a local time is ahead of the event's own UTC; 0 where it names its zone."""
    ahead = pc.subtract(moment, parse_times(utc).cast(pa.int64()))
    quarters = pc.round(pc.divide(ahead.cast(pa.float64(), safe=False), float(_QUARTER)))
    offset = pc.multiply(quarters.cast(pa.int64()), _QUARTER)
    zoned = pc.match_substring_regex(logged, _ZONED)
    return pc.if_else(zoned, 0, pc.fill_null(offset, 0))
