"""An object whose keys are System fields by a product's names -> the event; the readers of products
call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from escudo.sources.formats.classic_text import WindowsEvent, read_message
from escudo.sources.formats.event_templates import name_values
from escudo.sources.formats.json_leaves import walk_leaves
from escudo.sources.formats.shapes.values import (
    AUDIT_KEYWORDS,
    put_value,
    read_guid,
    read_keywords,
    read_text,
    read_time,
)

_LEVELS = {
    "logalways": "0", "critical": "1", "error": "2", "warning": "3", "info": "4",
    "information": "4", "informational": "4", "verbose": "5",
}  # fmt: skip


def read_renamed(value: Mapping[str, Any], names: Mapping[str, str]) -> WindowsEvent:
    """An object whose keys are System fields by other names; the rest is the shipper's."""
    turned = WindowsEvent()
    for key, name in names.items():
        inner = value.get(key)
        if name == "SystemTime":
            put_value(turned.system, name, read_time(inner))
        elif name == "Keywords":
            put_value(turned.system, name, read_keywords(inner))
        elif name == "Level":
            level = read_text(inner)
            put_value(turned.system, name, _LEVELS.get((level or "").lower(), level))
        else:
            put_value(turned.system, name, read_guid(inner))
    keep_rest(turned, value, set(names))
    return turned


def keep_rest(turned: WindowsEvent, value: Mapping[str, Any], without: set[str]) -> None:
    """Keeps what an object has but some keys, as the shipper's, by dotted names."""
    rest = {key: inner for key, inner in value.items() if key not in without}
    for path, leaf in walk_leaves(rest):
        turned.rest.setdefault(".".join(path), leaf)


def read_levels(turned: WindowsEvent, value: Mapping[str, Any]) -> None:
    """Level, opcode and keywords that are given by their English words."""
    words = value.get("keywords")
    listed = words if isinstance(words, list) else []
    audit = [AUDIT_KEYWORDS[word] for word in listed if word in AUDIT_KEYWORDS]
    if audit:
        turned.system.setdefault("Keywords", audit[0])
    elif turned.system.get("Name") == "Microsoft-Windows-Sysmon":
        turned.system.setdefault("Keywords", "0x8000000000000000")
        turned.system.setdefault("Task", turned.system.get("EventID", ""))
    level = read_text(value.get("level"))
    put_value(turned.system, "Level", "0" if audit else _LEVELS.get((level or "").lower(), level))
    opcode = read_text(value.get("opcode"))
    put_value(turned.system, "Opcode", {"Info": "0", "Start": "1", "Stop": "2"}.get(opcode or ""))


def take_message(turned: WindowsEvent, value: Mapping[str, Any], key: str) -> None:
    """The rendered message; its labels give the fields where the event brought none."""
    message = value.get(key)
    if isinstance(message, str) and message:
        turned.rest.pop(key, None)
        turned.rest["Message"] = message
        if not turned.own:
            read_message(turned, message.replace("\r\n", "\n"))


def name_positions(turned: WindowsEvent, values: list[str]) -> None:
    """Values by position, under the names of the event's template; as they are without one."""
    name, event_id = turned.system.get("Name", ""), turned.system.get("EventID", "")
    named = name_values(str(name), str(event_id), values)
    if named is None:
        turned.rest["StringInserts{}"] = values
    else:
        turned.own.update({k: v for k, v in named.items() if v})
