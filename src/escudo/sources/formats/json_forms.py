"""The JSON shapes of shippers -> the fields of the Windows event itself; for ``json_events``.

Whatever brought an event, its fields are those of its XML. What only a shipper says (its own
names, the receipt, a rendered message) is kept beside them under the shipper's names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.classic_text import WindowsEvent, merge_events
from escudo.sources.formats.column_cleanup import add_braces, drop_empty, merge_fields
from escudo.sources.formats.ecs import map_back
from escudo.sources.formats.event_columns import build_columns
from escudo.sources.formats.json_leaves import Path, Paths, read_by_line
from escudo.sources.formats.json_shapes import CARRIES, find_windows_event, hint_paths
from escudo.sources.formats.nxlog import read_flat_fields
from escudo.sources.formats.xml_element import Field, NotAnEventError, read_event_fields

Fields = dict[str, pa.Array]

_XML_PATHS: tuple[Path, ...] = (
    ("event", "original"),
    ("SyslogMessage",),
    ("message",),
    ("log",),
    ("result", "_raw"),
    ("_raw",),
    ("System",),
    ("body",),
    ("Body",),
    ("MESSAGE",),
)
"""Where Winlogbeat (``include_xml``), Log Analytics, syslog collectors, Splunk's exports, Fluent
Bit, OpenTelemetry and journald keep an event's XML. Other places are found event by event."""
_EVENT_START = r"<(?:\w+:)?Event[\s>]"
_FALCON = ("event_simpleName", "#event_simpleName")
_FALCON_TEXT = r'\\"#?event_simpleName\\*"\s*:'
"""CrowdStrike's event as JSON in a text of another object."""
_EVENT = re.compile(r"<(\w+:|)Event[\s>].*</\1Event\s*>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write events as JSON: which lines have it, and their fields."""

    name: str
    marks: tuple[tuple[Path, ...], ...]
    """Alternatives; in each, the paths that a line must have."""
    convert: Callable[[Paths], Fields]


def read_forms(
    paths: Paths, size: int, lines: pa.Array | None = None
) -> Iterator[tuple[str, npt.NDArray[np.intp] | None, Fields]]:
    """The lines of each form (None: all of them) and their fields.

    ``lines`` are the objects themselves. With them the rarer shapes are found, too.

    >>> paths = {("Channel",): pa.array(["Security"]), ("EventID",): pa.array(["1"]),
    ...          ("Hostname",): pa.array(["pc"])}
    >>> [(name, list(fields)) for name, _, fields in read_forms(paths, 1)]
    [('flat', ['Channel', 'EventID', 'Computer'])]
    """
    paths = _unwrapped(paths)
    left = np.ones(size, dtype=bool)
    for path in _XML_PATHS:
        if path in paths and not pa.types.is_list(paths[path].type):
            numbers, fields = _embedded(paths, path)
            if len(numbers):
                left[numbers] = False
                yield "event_xml", numbers, fields
    if lines is not None and any(path in paths for path in _XML_PATHS):
        carrying = pc.match_substring_regex(lines, _FALCON_TEXT).to_numpy(zero_copy_only=False)
        for name, places, fields in _rare(lines, carrying & left):
            left[places] = False
            yield name, places, fields
    for prefix in _falcon_prefixes(paths):
        has = _holds_falcon(paths, prefix) & left
        if has.any():
            left &= ~has
            rows = _all_or(has)
            yield "falcon", rows, _falcon(_taken(paths, rows), prefix)
    if lines is not None:
        candidates = _hinted(paths, size) & left
        for name, places, fields in _rare(lines, candidates):
            left[places] = False
            yield name, places, fields
    for form in FORMS:
        has = np.zeros(size, dtype=bool)
        for alternative in form.marks:
            if all(path in paths for path in alternative):
                every = [pc.is_valid(paths[p]).to_numpy(zero_copy_only=False) for p in alternative]
                has |= np.logical_and.reduce(every)
        has &= left
        if not has.any():
            continue
        left &= ~has
        rows = _all_or(has)
        yield form.name, rows, form.convert(_taken(paths, rows))
    if lines is not None and left.any():
        for name, places, fields in _rare(lines, left & _carrying(lines)):
            left[places] = False
            yield name, places, fields
    if left.any():
        rows = _all_or(left)
        yield "generic", rows, _generic(_taken(paths, rows))


def _hinted(paths: Paths, size: int) -> npt.NDArray[np.bool_]:
    """Which lines have the keys of a rare shape; mostly a look at the paths alone."""
    hinted = np.zeros(size, dtype=bool)
    known: dict[Path, list[Path]] = {}
    for path in paths:
        plain = tuple(part.removesuffix("{}") for part in path)
        # What is below these is read by columns.
        for start in range(1 if plain[0] in ("Event", "winlog") else len(plain)):
            for stop in range(start + 1, len(plain) + 1):
                known.setdefault(plain[start:stop], []).append(path)
    for alternative in hint_paths():
        if not all(mark in known for mark in alternative):
            continue
        has = np.ones(size, dtype=bool)
        for mark in alternative:
            below = [pc.is_valid(paths[p]).to_numpy(zero_copy_only=False) for p in known[mark]]
            has &= np.logical_or.reduce(below)
        hinted |= has
    return hinted


def _carrying(lines: pa.Array) -> npt.NDArray[np.bool_]:
    """Which lines may hold an event in one of their texts."""
    carries = pc.match_substring_regex(lines, CARRIES)
    return np.asarray(carries.to_numpy(zero_copy_only=False))


def _rare(
    lines: pa.Array, candidates: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, npt.NDArray[np.intp], Fields]]:
    """The events of rarer shapes, one at a time; those that turn out common by columns."""
    events: list[WindowsEvent] = []
    numbers: list[int] = []
    common: list[dict[str, Any]] = []
    common_numbers: list[int] = []
    for number in np.flatnonzero(candidates).tolist():
        turned = find_windows_event(orjson.loads(lines[number].as_py()))
        if isinstance(turned, WindowsEvent):
            events.append(turned)
            numbers.append(number)
        elif turned is not None:
            common.append(turned)
            common_numbers.append(number)
    if events:
        yield "rare", np.array(numbers, dtype=np.intp), merge_events(events)
    if common:
        places = np.array(common_numbers, dtype=np.intp)
        for name, rows, fields in read_forms(read_by_line(common), len(common)):
            yield name, places if rows is None else places[rows], fields


def _unwrapped(paths: Paths) -> Paths:
    """Elasticsearch's exports hold each event in ``_source``, beside its index and id. A field
    that has the name of one beside it stays where it is."""
    index = paths.get(("_index",))
    if index is None or index.null_count:
        return paths
    return {_inner(p) if _inner(p) not in paths else p: v for p, v in paths.items()}


def _inner(path: Path) -> Path:
    return path[1:] if path[0] == "_source" and len(path) > 1 else path


def _all_or(has: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp] | None:
    return None if has.all() else np.flatnonzero(has)


def _embedded(paths: Paths, path: Path) -> tuple[npt.NDArray[np.intp], Fields]:
    """The lines that carry an event's XML in a value: its fields, then the shipper's."""
    has = pc.fill_null(pc.match_substring_regex(paths[path], _EVENT_START), False)
    numbers: list[int] = []
    events: list[dict[str, Field]] = []
    for number in np.flatnonzero(has.to_numpy(zero_copy_only=False)).tolist():
        event = _EVENT.search(paths[path][number].as_py())
        try:
            fields = read_event_fields(event[0] if event else "")
        except NotAnEventError:
            continue
        numbers.append(number)
        events.append(fields)
    rows = np.array(numbers, dtype=np.intp)
    if not numbers:
        return rows, {}
    out = dict(build_columns(events))
    for other, values in _taken({p: v for p, v in paths.items() if p != path}, rows).items():
        out.setdefault(".".join(other), values)
    return rows, out


def _taken(paths: Paths, rows: npt.NDArray[np.intp] | None) -> dict[Path, pa.Array]:
    if rows is None:
        return drop_empty(paths)
    chosen = pa.array(rows)
    return drop_empty({path: values.take(chosen) for path, values in paths.items()})


def _falcon_prefixes(paths: Paths) -> list[Path]:
    """Below which objects CrowdStrike's events stand, or stand by LogScale's names."""
    marked = (path for path in paths if path[-1] in _FALCON and "{}" not in "".join(path))
    return list(dict.fromkeys(p[:-1] for p in marked if len(p) > 1 or p[-1].startswith("#")))


def _holds_falcon(paths: Paths, prefix: Path) -> npt.NDArray[np.bool_]:
    marks = [paths[(*prefix, name)] for name in _FALCON if (*prefix, name) in paths]
    has = [pc.is_valid(values).to_numpy(zero_copy_only=False) for values in marks]
    return np.asarray(np.logical_or.reduce(has))


def _falcon(paths: Paths, prefix: Path) -> Fields:
    """CrowdStrike's event out of the object around it; LogScale's tags without their ``#``."""
    depth = len(prefix)
    own = {path[depth:]: v for path, v in paths.items() if path[:depth] == prefix}
    out: Fields = {}
    for path, values in own.items():
        name = ".".join(path).removeprefix("#")
        out[name] = pc.coalesce(values, out[name]) if name in out else values
    for path, values in paths.items():
        if path[:depth] != prefix:
            out.setdefault(".".join(path), values)
    if prefix == ("crowdstrike",):
        for path, name in _ELASTIC_FALCON.items():
            if path in paths and not pa.types.is_list(paths[path].type):
                values = paths[path]
                if name == "event_platform":
                    values = _translated(values, _PLATFORMS)
                out[name] = pc.coalesce(out[name], values) if name in out else values
    return out


_ELASTIC_FALCON: Mapping[Path, str] = {
    ("process", "executable"): "ImageFileName",
    ("process", "command_line"): "CommandLine",
    ("process", "pid"): "RawProcessId",
    ("process", "entity_id"): "TargetProcessId",
    ("process", "parent", "entity_id"): "ParentProcessId",
    ("process", "parent", "name"): "ParentBaseFileName",
    ("process", "hash", "sha256"): "SHA256HashData",
    ("process", "hash", "md5"): "MD5HashData",
    ("user", "id"): "UserSid",
    ("user", "name"): "UserName",
    ("host", "id"): "aid",
    ("device", "id"): "aid",
    ("host", "hostname"): "ComputerName",
    ("host", "os", "type"): "event_platform",
    ("dns", "question", "name"): "DomainName",
    ("source", "ip"): "LocalAddressIP4",
    ("source", "port"): "LocalPort",
    ("destination", "ip"): "RemoteAddressIP4",
    ("destination", "port"): "RemotePort",
}
"""What Elastic's CrowdStrike integration moves to ECS (its ingest pipeline of the stream fdr)."""
_PLATFORMS = {"windows": "Win", "linux": "Lin", "macos": "Mac"}


def _generic(paths: Paths) -> Fields:
    """Dotted paths, as Splunk's ``KV_MODE = json`` names the fields."""
    return {".".join(path): values for path, values in paths.items()}


def _evtx_dump(paths: Paths) -> Fields:
    """What evtx_dump and the ``evtx`` library write: the XML's elements as objects."""
    system: list[tuple[str, pa.Array]] = []
    own: list[tuple[str, pa.Array]] = []
    for path, values in paths.items():
        match path:
            case ("Event", "System", _, "#attributes", attribute):
                system.append((attribute, values))
            case ("Event", "System", element, attribute) if element.endswith("_attributes"):
                system.append((attribute, values))
            case ("Event", "System", name) | ("Event", "System", name, "#text"):
                system.append((name, values))
            case ("Event", "#attributes" | "Event_attributes", *_):
                continue
            case ("Event", _, *inner) if inner and "#attributes" not in inner:
                name = _leaf(inner)
                if not inner[0].endswith("_attributes"):
                    own.append((name, values))
    return add_braces(merge_fields(system, own))


def _leaf(inner: Sequence[str]) -> str:
    """The element's name; unnamed Data are one field, whether one came or several."""
    parts = [part.removesuffix("{}") for part in inner if part.removesuffix("{}") != "#text"]
    return parts[-1] if parts else "Data"


_WINLOGBEAT: Mapping[Path, str] = {
    ("winlog", "event_id"): "EventID",
    ("winlog", "version"): "Version",
    ("winlog", "record_id"): "EventRecordID",
    ("winlog", "channel"): "Channel",
    ("winlog", "computer_name"): "Computer",
    ("winlog", "provider_name"): "Name",
    ("winlog", "provider_guid"): "Guid",
    ("winlog", "process", "pid"): "ProcessID",
    ("winlog", "process", "thread", "id"): "ThreadID",
    ("winlog", "user", "identifier"): "UserID",
    ("winlog", "activity_id"): "ActivityID",
    ("winlog", "related_activity_id"): "RelatedActivityID",
    ("@timestamp",): "SystemTime",
}
_BEAT_LEVELS = {
    "critical": "1",
    "error": "2",
    "warning": "3",
    "information": "4",
    "verbose": "5",
}
_SYSMON = "Microsoft-Windows-Sysmon"
_KEYWORD_BITS = {"Audit Success": "0x8020000000000000", "Audit Failure": "0x8010000000000000"}
_CLASSIC = "0x8000000000000000"


def _winlogbeat(paths: Paths) -> Fields:
    """Elastic's Winlogbeat, version 7 and later. It names task, opcode and level, and keeps no
    numbers: those that the provider fixes are put back."""
    system: list[tuple[str, pa.Array]] = []
    own: list[tuple[str, pa.Array]] = []
    rest: list[tuple[str, pa.Array]] = []
    for path, values in paths.items():
        if path in _WINLOGBEAT:
            system.append((_WINLOGBEAT[path], values))
        elif path[:2] in (("winlog", "event_data"), ("winlog", "user_data")) and len(path) > 2:
            if path[2] != "xml_name":
                own.append((path[-1].removesuffix("{}"), values))
        elif path == ("message",):
            rest.append(("Message", values))
        else:
            rest.append((".".join(path), values))
    known = dict(system)
    size = len(next(iter(paths.values())))
    name = known.get("Name", pa.nulls(size, pa.string()))
    sysmon = pc.fill_null(pc.equal(name, _SYSMON), False)
    level = paths.get(("log", "level"))
    if level is not None:
        audit = pc.fill_null(pc.equal(name, "Microsoft-Windows-Security-Auditing"), False)
        system.append(("Level", pc.if_else(audit, "0", _translated(level, _BEAT_LEVELS))))
    nothing = pa.scalar(None, pa.string())
    if "EventID" in known:
        # Sysmon numbers its tasks as its events.
        system.append(("Task", pc.if_else(sysmon, known["EventID"], nothing)))
    opcode = paths.get(("winlog", "opcode"))
    if opcode is not None:
        system.append(("Opcode", _translated(opcode, {"Info": "0", "Start": "1", "Stop": "2"})))
    keywords = paths.get(("winlog", "keywords{}"))
    audited = (
        pa.nulls(size, pa.string())
        if keywords is None
        else _translated(pc.binary_join(keywords, ","), _KEYWORD_BITS)
    )
    system.append(("Keywords", pc.coalesce(audited, pc.if_else(sysmon, _CLASSIC, nothing))))
    own += map_back(paths, known.get("EventID", nothing), name)
    out = merge_fields(system, own)
    for field, values in rest:
        out.setdefault(field, values)
    return out


def _translated(values: pa.Array, table: Mapping[str, str]) -> pa.Array:
    encoded = values.dictionary_encode()
    meanings = [table.get(v) for v in encoded.dictionary.to_pylist()]
    return pa.array(meanings, pa.string()).take(encoded.indices)


FORMS: tuple[Form, ...] = (
    Form(
        "evtx_dump",
        (
            (("Event", "System", "EventID"),),
            (("Event", "System", "EventID", "#text"),),
        ),
        _evtx_dump,
    ),
    Form("winlogbeat", ((("winlog", "event_id"), ("winlog", "channel")),), _winlogbeat),
    Form("flat", ((("EventID",), ("Channel",)),), read_flat_fields),
)
"""Tried in this order; what has none of them is generic JSON."""
