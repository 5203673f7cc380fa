"""A value of a JSON object -> the text that Windows writes; the readers of shapes call it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from escudo.sources.formats.json_leaves import Path
from escudo.sources.formats.xml_element import Field

_DOTNET_TIME = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
_SIGNED = re.compile(r"-?\d+")
TEXT_KEYS = ("#text", "Value", "value", "_", "Text", "text", "id", "Content")
"""The keys below which a converter has the text of an element, as they are tried."""
AUDIT_KEYWORDS = {"Audit Success": "0x8020000000000000", "Audit Failure": "0x8010000000000000"}


def look_up(value: Any, path: Path) -> Any:
    """The value at a path of keys; None where there is none.

    >>> look_up({"a": {"b": 1}}, ("a", "b")), look_up({"a": 1}, ("a", "b"))
    (1, None)
    """
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def read_text(value: Any) -> str | None:
    """A scalar as text; an object by the text that it holds; nothing for an empty one."""
    if isinstance(value, dict):
        value = next((value[k] for k in TEXT_KEYS if k in value), None)
    if value is None or isinstance(value, list | dict):
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text or None


def read_time(value: Any) -> str | None:
    """A time as .NET's serialisers and others write it, as text that ``parse_times`` takes.

    >>> read_time("/Date(1709634030123)/"), read_time({"value": "/Date(0)/"}), read_time(1.5)
    ('2024-03-05T10:20:30.123Z', '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:01.500Z')
    """
    if isinstance(value, dict):
        lower = {k.lower().lstrip("@#"): v for k, v in value.items()}
        value = next((lower[k] for k in ("systemtime", "value", "datetime") if k in lower), None)
    if isinstance(value, str) and (parts := _DOTNET_TIME.search(value)):
        return _iso(int(parts[1]) * 1000)
    if isinstance(value, float) and 0 <= value < 4e10:
        return _iso(round(value * 1e6))
    return read_text(value)


def _iso(micros: int) -> str:
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC)
    fraction = micros % 1_000_000
    digits = f"{fraction:06}" if fraction % 1000 else f"{fraction // 1000:03}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{digits}Z"


def read_keywords(value: Any) -> str | None:
    """A number, signed or not, as the hexadecimal of Windows; of words, those of an audit.

    >>> read_keywords(-9214364837600034816), read_keywords("Audit Failure")
    ('0x8020000000000000', '0x8010000000000000')
    """
    text = read_text(value)
    if text is not None and _SIGNED.fullmatch(text):
        return f"0x{int(text) & 0xFFFFFFFFFFFFFFFF:x}"
    return text if text is None or text.startswith("0x") else AUDIT_KEYWORDS.get(text)


def read_guid(value: Any) -> str | None:
    """A value as text, in braces where it is a GUID without them."""
    text = read_text(value)
    return f"{{{text}}}" if text and len(text) == 36 and text.count("-") == 4 else text


def put_value(fields: dict[str, Field], name: str, value: str | None) -> None:
    """Adds a field that has a value and is not there yet."""
    if value:
        fields.setdefault(name, value)
