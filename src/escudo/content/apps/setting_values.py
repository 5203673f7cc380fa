"""The settings of a stanza -> texts, truth, numbers, JSON, days; what reads apps calls it.

What is not there, or cannot be read, is empty or the default: an app may say anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from escudo.content.apps.conf import Setting
from escudo.content.reading import read_whole

Settings = Mapping[str, Setting]

_TRUE = ("1", "true", "t", "yes", "enabled")


def read_setting(settings: Settings, key: str) -> str:
    return settings[key].value if key in settings else ""


def read_truth(settings: Settings, key: str, *, default: bool = False) -> bool:
    text = read_setting(settings, key)
    return text.strip().lower() in _TRUE if text else default


def read_number(settings: Settings, key: str, default: int) -> int:
    """A whole number that is not negative."""
    number = read_whole(read_setting(settings, key))
    return default if number is None or number < 0 else number


def read_json(settings: Settings, key: str) -> Any:
    """The value of a JSON text; None where it is none, or nested too deep."""
    text = read_setting(settings, key)
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def read_texts(value: Any) -> tuple[str, ...]:
    """The members of a JSON list as texts; nothing of anything else."""
    return tuple(map(str, value)) if isinstance(value, list) else ()


def read_objects(value: Any) -> list[dict[str, Any]]:
    """The JSON objects of a list; nothing of anything else."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def read_day(settings: Settings, key: str) -> date | None:
    try:
        return date.fromisoformat(read_setting(settings, key).strip())
    except ValueError:
        return None
