"""Windows event logs and search expressions in plain Python: nothing of Escudo's but the tree."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from evtx import PyEvtxParser

from escudo.spl.syntax.ast import And, Compare, InList, Not, Or, SearchExpr, Value

Event = Mapping[str, Any]

OTHER_NAMES = {
    "Caller_User_Name": "SubjectUserName",
    "ComputerName": "Computer",
    "EventCode": "EventID",
    "Group_Name": "TargetUserName",
    "Target_User_Name": "TargetUserName",
    "dest": "Computer",
    "granted_access": "GrantedAccess",
    "host": "Computer",
    "process_path": "Image",
}
"""Names that Splunk's add-ons give a field -> the name in the event."""


class CannotTellError(Exception):
    """The expression needs more than comparisons of fields."""


def events(folder: Path) -> Iterator[Event]:
    """The events of all EVTX files below a folder; a file that is there twice counts once."""
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*.evtx")):
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest not in seen:
            seen.add(digest)
            for record in PyEvtxParser(str(path)).records_json():
                loaded: Any = record
                yield fields(json.loads(loaded["data"])["Event"])


def fields(event: Mapping[str, Any]) -> Event:
    """The system fields that searches use, and all of the event's data."""
    system = event["System"]
    number = system["EventID"]
    channel = str(system["Channel"])
    out: dict[str, Any] = {
        "EventID": number["#text"] if isinstance(number, dict) else number,
        "Channel": channel,
        "Computer": system["Computer"],
        "UserID": ((system.get("Security") or {}).get("#attributes") or {}).get("UserID"),
        "source": f"XmlWinEventLog:{channel}",
        "sourcetype": "XmlWinEventLog",
        "eventtype": f"wineventlog_{channel.lower()}",
        "index": "windows",
    }
    for part in ("EventData", "UserData"):
        data = event.get(part)
        if isinstance(data, dict):
            for name, value in data.items():
                out.update(
                    value if part == "UserData" and isinstance(value, dict) else {name: value}
                )
    return out


def holds(expr: SearchExpr, event: Event) -> bool:
    """Whether an event satisfies an expression, by the rules of the Search Reference: values
    compare without regard to case, ``*`` is any text, ``!=`` wants the field to be there."""
    match expr:
        case And(operands):
            return all(holds(o, event) for o in operands)
        case Or(operands):
            return any(holds(o, event) for o in operands)
        case Not(operand):
            return not holds(operand, event)
        case InList(name, values):
            return any(equal(v, wanted) for v in held(event, name) for wanted in values)
        case Compare(name, "=", value):
            return any(equal(v, value) for v in held(event, name))
        case Compare(name, "!=", value):
            return any(not equal(v, value) for v in held(event, name))
    raise CannotTellError(expr)


def held(event: Event, name: str) -> list[str]:
    """The values of a field; none where it is empty."""
    value = event.get(OTHER_NAMES.get(name, name))
    values = value if isinstance(value, list) else [value]
    return [str(v) for v in values if v is not None and v != ""]


def equal(value: str, wanted: Value) -> bool:
    return pattern(wanted.text, wanted.exact_case).fullmatch(value) is not None


@cache
def pattern(text: str, exact: bool) -> re.Pattern[str]:
    parts = map(re.escape, text.split("*"))
    return re.compile(".*".join(parts), re.DOTALL | (0 if exact else re.IGNORECASE))
