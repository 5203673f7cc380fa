"""Lists of hosts and users beside CrowdStrike's events -> names in them; ``assemble`` calls it.

The sensor's events have ids only. The Falcon Data Replicator writes the names into files of their
own (``aidmaster``, ``userinfo``), which may come before or after the events; so they are looked for
in all of the input when the first event is seen that may need them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.errors import Diagnostic
from escudo.sources.events import Events, Values
from escudo.sources.format_detection import Format, find_delimiter
from escudo.sources.formats.text import DamagedError, read_pieces, repair_utf8
from escudo.sources.listing import STDIN, ListedFile
from escudo.sources.opening import LogStream, UnpackLimits, open_logs

_MARK = "event_simpleName"
_HOST_FIELDS = {
    "ComputerName": "aid_computer_name",
    "MachineDomain": "looked_up_machine_domain",
    "OU": "aid_ou",
    "SiteName": "aid_site_name",
    "City": "aid_city",
    "Country": "aid_country",
    "Continent": "aid_continent",
    "Version": "aid_os_version",
    "SystemProductName": "aid_system_product_name",
}
"""Columns of ``aidmaster``, and the fields that Splunk's add-on for FDR looks up in it."""
_SIDS = ("UserSid_readable", "UserSid")
_INFO_HOST = "info.host.ComputerName"
_INFO_USERS = ("info.user.UserName", "info.user.User")
"""Where CrowdStrike's own FDR tool puts the names when it enriches the events."""
_FORMATS = (Format.FDR, Format.JSON_EVENTS, Format.CSV_EVENTS)
_EVENT_KEY = re.compile(rb'"#?event_simpleName"\s*:|^[^\r\n{]*\bevent_simpleName\b')
_KEYS = re.compile(rb"\b(?:ComputerName|UserName)\b")
_UNKNOWN = frozenset({"", "none", "unknown", "N/A", "-"})
_LOOKED_AT = 64 * 1024
"""Bytes of a file that tell whether it is a list; the events are in files of their own."""
_MOST_BYTES = 256 << 20
"""Bytes of lists that are read, at most; events between their lines do not count."""


@dataclass(slots=True)
class Inventory:
    """Names of hosts by ``aid``, as the add-on's fields, and of users by SID.

    >>> inventory = Inventory()
    >>> inventory.add({"aid": "a1", "ComputerName": "PC1"})
    >>> inventory.add({"UserSid_readable": "S-1-5-21-7", "UserName": "ann"})
    >>> inventory.hosts["a1"], inventory.users["S-1-5-21-7"]
    ({'aid_computer_name': 'PC1'}, 'ann')
    """

    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        """Takes note of a row of a list; one that is no host or user is passed over."""
        if _MARK in row or f"#{_MARK}" in row:
            return
        aid, name = row.get("aid"), row.get("ComputerName")
        if isinstance(aid, str) and isinstance(name, str) and name not in _UNKNOWN:
            named = ((out, row.get(column)) for column, out in _HOST_FIELDS.items())
            self.hosts.setdefault(aid.lower(), {}).update(
                {out: v for out, v in named if isinstance(v, str) and v not in _UNKNOWN}
            )
        sid = next((row[n] for n in _SIDS if isinstance(row.get(n), str) and row[n]), None)
        user = row.get("UserName")
        if sid is not None and isinstance(user, str) and user not in _UNKNOWN:
            self.users[sid.upper()] = user

    def __bool__(self) -> bool:
        return bool(self.hosts or self.users)


def needs_names(events: Events) -> bool:
    """Whether some of the events are CrowdStrike's."""
    return _MARK in events.fields


def add_names(events: Events, inventory: Inventory) -> Events:
    """CrowdStrike's events with the names of host and user that the inventory, or what their own
    shipper added, has for them. A name that an event has stays.

    >>> inventory = Inventory(hosts={"a1": {"aid_computer_name": "PC1"}})
    >>> events = Events({"event_simpleName": "X", "aid": pa.array(["A1"])}, pa.array(["{}"]))
    >>> add_names(events, inventory).fields["aid_computer_name"].to_pylist()
    ['PC1']
    """
    fields = dict(events.fields)
    size = len(events.raw)
    mark = _text(fields[_MARK], size)
    added: dict[str, list[pa.Array]] = {}
    for name, given in ((_INFO_HOST, "aid_computer_name"), *((n, "UserName") for n in _INFO_USERS)):
        if name in fields:
            plain = pc.replace_substring_regex(_text(fields[name], size), r"^.*\\", "")
            added.setdefault(given, []).append(plain)
    if inventory.hosts and "aid" in fields:
        aids = pc.utf8_lower(_text(fields["aid"], size))
        for name in _HOST_FIELDS.values():
            found = _look_up(aids, {a: v[name] for a, v in inventory.hosts.items() if name in v})
            added.setdefault(name, []).append(found)
    if inventory.users and "UserSid" in fields:
        sids = pc.utf8_upper(_text(fields["UserSid"], size))
        added.setdefault("UserName", []).append(_look_up(sids, inventory.users))
    for name, candidates in added.items():
        own = [_present(_text(fields[name], size))] if name in fields else []
        values = pc.coalesce(*own, *candidates)
        if own and own[0].null_count == 0:
            continue
        theirs = pc.if_else(pc.is_valid(mark), values, own[0] if own else _nothing())
        if theirs.null_count < size:
            fields[name] = theirs
    return replace(events, fields=fields)


def _nothing() -> pa.Scalar:
    return pa.scalar(None, pa.string())


def _text(values: Values, size: int) -> pa.Array:
    if isinstance(values, str):
        return pa.repeat(pa.scalar(values), size)
    return pc.binary_join(values, " ") if pa.types.is_list(values.type) else values


def _present(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), _nothing(), values)


def _look_up(keys: pa.Array, table: Mapping[str, str]) -> pa.Array:
    encoded = keys.dictionary_encode()
    names = [None if key is None else table.get(key) for key in encoded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(encoded.indices)


@dataclass(slots=True)
class InventoryFinder:
    """The inventory of one run's input, looked for when it is first asked for.

    ``known`` is what other places say (lookups of the content, the lake); the input goes before it.
    """

    paths: Sequence[Path | str]
    limits: UnpackLimits | None = None
    known: Callable[[], Inventory] = Inventory
    _found: Inventory | None = None

    def find(self) -> Inventory:
        """The hosts and users of all lists under the paths; standard input and pipes are not
        looked at, since they can be read only once."""
        if self._found is None:
            found = self.known()
            files = [p for p in self.paths if str(p) != STDIN and Path(p).exists()]
            again = [p for p in files if Path(p).is_dir() or Path(p).is_file()]
            for row in read_list_rows(again, self.limits):
                found.add(row)
            self._found = found
        return self._found


def read_lists(paths: Sequence[Path | str]) -> Inventory:
    """The hosts and users of the lists among some files, whatever else they hold.

    >>> read_lists([]) == Inventory()
    True
    """
    found = Inventory()
    for row in read_list_rows(paths):
        found.add(row)
    return found


def read_list_rows(
    paths: Sequence[Path | str | ListedFile], limits: UnpackLimits | None = None
) -> Iterator[Mapping[str, Any]]:
    """The rows of the lists among some files, for ``Inventory.add``."""
    yield from _read_lists(open_logs(paths, limits=limits))


def _read_lists(streams: Iterator[LogStream | Diagnostic]) -> Iterator[Mapping[str, Any]]:
    left = _MOST_BYTES
    for stream in streams:
        if isinstance(stream, Diagnostic) or stream.format not in _FORMATS or left <= 0:
            continue
        try:
            with stream.open() as opened:
                head = opened.read(_LOOKED_AT)
            if not any(map(_may_be_row, head.split(b"\n"))):
                continue
            with stream.open() as opened:
                lines = (
                    line for line in _lines(read_pieces(opened)) if not _EVENT_KEY.search(line)
                )
                text = b"\n".join(_at_most(lines, left))
        except (DamagedError, OSError, EOFError):
            continue  # the ingest itself tells of it
        left -= len(text)
        yield from _rows(text, stream.format)


def _may_be_row(line: bytes) -> bool:
    return _KEYS.search(line) is not None and _EVENT_KEY.search(line) is None


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    kept = b""
    for piece in pieces:
        *whole, kept = (kept + piece).split(b"\n")
        yield from whole
    yield kept


def _at_most(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


def _rows(text: bytes, format: Format) -> Iterator[Mapping[str, Any]]:
    if format is Format.CSV_EVENTS:
        lines = repair_utf8(text).decode()
        yield from csv.DictReader(
            io.StringIO(lines), delimiter=find_delimiter(lines.split("\n")[0])
        )
        return
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        whole = [_object(line) for line in text.split(b"\n")]
    rows = whole if isinstance(whole, list) else [whole]
    yield from (row for row in rows if isinstance(row, dict))


def _object(line: bytes) -> Any:
    try:
        return orjson.loads(line.strip().rstrip(b","))
    except orjson.JSONDecodeError:
        return None
