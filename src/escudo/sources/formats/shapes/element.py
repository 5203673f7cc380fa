"""An event's element as converters of XML write it in JSON -> the event; ``json_shapes`` and the
readers of products call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from escudo.sources.formats.classic_text import WindowsEvent
from escudo.sources.formats.shapes.renamed import keep_rest
from escudo.sources.formats.shapes.values import (
    TEXT_KEYS,
    look_up,
    put_value,
    read_guid,
    read_keywords,
    read_text,
    read_time,
)
from escudo.sources.formats.xml_element import Field

_ATTRIBUTES = ("#attributes", "attributes", "$")
_SYSTEM_TIMES = ("TimeCreated", "SystemTime")


def read_element(value: Mapping[str, Any]) -> WindowsEvent | None:
    """The event's element as an object: ``{"System": ..., "EventData": ...}``."""
    event = value.get("Event", value)
    if not isinstance(event, dict) or not isinstance(event.get("System"), dict):
        return None
    turned = WindowsEvent(system=_system(event["System"]))
    for part in ("EventData", "UserData", "ProcessingErrorData"):
        turned.own.update(
            {k: v for k, v in read_own(event.get(part)).items() if k not in turned.own}
        )
    keep_rest(turned, value, {"Event", "System", "EventData", "UserData", "Message"})
    message = event.get("Message", look_up(event, ("RenderingInfo", "Message")))
    put_value(turned.rest, "Message", read_text(message))
    return turned


def _system(part: Mapping[str, Any]) -> dict[str, Field]:
    """The System element as an object: attributes beside texts, in objects, with marks or not."""
    out: dict[str, Field] = {}
    for key, value in part.items():
        if key in _SYSTEM_TIMES:
            put_value(out, "SystemTime", read_time(_merged(value)))
        elif key == "Keywords":
            put_value(out, key, read_keywords(value))
        elif key.endswith("_attributes") and isinstance(value, dict):
            _attributes(out, value)
        elif isinstance(value, dict):
            merged = _merged(value)
            if not key.startswith(("Provider", "Correlation", "Execution", "Security")):
                put_value(out, key, read_text(merged))
            _attributes(out, {k: v for k, v in merged.items() if k not in TEXT_KEYS})
        else:
            put_value(out, key, read_text(value))
    return out


def _merged(value: Any) -> Any:
    """An element's attributes beside its text, without the marks of converters."""
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _ATTRIBUTES and isinstance(inner, dict):
            out.update(inner)
        else:
            out["#text" if key == "#text" else key.lstrip("@-")] = inner
    return out


def _attributes(out: dict[str, Field], attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if name == "SystemTime":
            put_value(out, name, read_time(value))
        elif name != "xmlns":
            put_value(out, name, read_guid(value))


def read_own(part: Any) -> dict[str, Field]:
    """EventData or UserData as an object: values by name, or a list of Data with their names.

    >>> read_own({"Data": [{"@Name": "Image", "#text": "x"}, {"@Name": "User"}, "y"]})
    {'Image': 'x', 'Data': ['y']}
    >>> read_own({"Data": {"Image": "x"}}), read_own({"LogFileCleared": {"SubjectUserName": "ann"}})
    ({'Image': 'x'}, {'SubjectUserName': 'ann'})
    """
    out: dict[str, Field] = {}
    if isinstance(part, list):
        _data(out, part)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key.startswith(("@", "#")) or key in ("xmlns", "xml_name"):
                continue
            if key.lower() == "data" and isinstance(value, list):
                _data(out, value)
            elif isinstance(value, dict):
                if _name_in(value):
                    _data(out, [value])
                elif isinstance(value.get("#text"), list):
                    _data(out, value["#text"])
                elif (text := read_text(value)) is not None and key.lower() != "data":
                    put_value(out, key, text)
                else:
                    for name, inner in read_own(value).items():
                        out.setdefault(name, inner)
            elif isinstance(value, list):
                texts = [text for text in map(read_text, value) if text]
                if texts:
                    out.setdefault(key, texts if len(texts) > 1 else texts[0])
            else:
                put_value(out, key, read_text(value))
    return out


def _name_in(value: Mapping[str, Any]) -> str | None:
    name = look_up(value, ("#attributes", "Name")) or value.get("@Name") or value.get("-Name")
    return name or (value.get("Name") if len(value) <= 2 else None)


def _data(out: dict[str, Field], values: list[Any]) -> None:
    for value in values:
        if isinstance(value, dict):
            name = _name_in(value)
            if name:
                put_value(out, str(name), read_text(value))
            elif len(value) == 1 and read_text(value) is None:
                for key, inner in value.items():
                    put_value(out, key, read_text(inner))
            else:
                _unnamed(out, read_text(value))
        else:
            _unnamed(out, read_text(value))


def _unnamed(out: dict[str, Field], text: str | None) -> None:
    if text:
        held = out.setdefault("Data", [])
        if isinstance(held, list):
            held.append(text)
