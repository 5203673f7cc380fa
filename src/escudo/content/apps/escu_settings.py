"""What contentctl writes of an element beside Splunk's own settings -> its id, version, type and
texts; ``app_layer`` and ``app_stories`` read it.

Facts: contentctl 5.6.2, ``savedsearches_*.j2``. An app that was not built by it has none of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from escudo.content.apps.conf import Setting
from escudo.content.elements.detection import STATUSES, TYPES

DETECTION, SUPPORT, INVESTIGATIVE = "detection", "support", "investigative"
"""Values of ``action.escu.search_type``: detections, baselines, investigations."""
_NOTHING = "none"
"""What stands for a text that the element has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscuSettings:
    """What is said of an element; empty or None where it is not."""

    search_type: str
    id: str
    version: int
    status: str
    changed: date | None
    created: date | None
    type: str
    how_to_implement: str
    known_false_positives: str
    stories: tuple[str, ...]
    data_source: tuple[str, ...]
    product: tuple[str, ...]
    atomic_guid: tuple[str, ...]
    notes: Mapping[str, Any]
    """``action.correlationsearch.annotations``."""

    def note(self, name: str) -> tuple[str, ...]:
        """The values of an annotation."""
        return read_texts(self.notes.get(name))


def read_escu_settings(settings: Mapping[str, Setting]) -> EscuSettings:
    """What a stanza says beside Splunk's own settings."""
    said = _object(_text(settings, "action.correlationsearch.metadata"))
    notes = _object(_text(settings, "action.correlationsearch.annotations"))
    kind = notes.get("type")
    status = str(said.get("status", ""))
    if status not in STATUSES:
        status = "deprecated" if str(said.get("deprecated")) == "1" else "production"
    version = str(said.get("detection_version", "1"))
    changed = _day(_text(settings, "action.escu.modification_date"))
    stories = read_texts(_parse(_text(settings, "action.escu.analytic_story")))
    return EscuSettings(
        search_type=_text(settings, "action.escu.search_type").strip().lower(),
        id=str(said.get("detection_id", "")),
        version=int(version) if version.isdigit() else 1,
        status=status,
        changed=changed or _moment(said.get("publish_time")),
        created=_day(_text(settings, "action.escu.creation_date")),
        type=kind if isinstance(kind, str) and kind in TYPES else "",
        how_to_implement=_words(settings, "action.escu.how_to_implement"),
        known_false_positives=_words(settings, "action.escu.known_false_positives"),
        stories=stories or read_texts(notes.get("analytic_story")),
        data_source=read_texts(notes.get("data_source")),
        product=read_texts(_parse(_text(settings, "action.escu.product"))),
        atomic_guid=read_texts(_parse(_text(settings, "action.escu.atomic_red_team_guids"))),
        notes=notes,
    )


def read_texts(value: Any) -> tuple[str, ...]:
    """The members of a JSON list as texts; nothing of anything else."""
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _text(settings: Mapping[str, Setting], key: str) -> str:
    return settings[key].value if key in settings else ""


def _words(settings: Mapping[str, Setting], key: str) -> str:
    text = _text(settings, key)
    return "" if text == _NOTHING else text


def _parse(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _object(text: str) -> Mapping[str, Any]:
    value = _parse(text)
    return value if isinstance(value, dict) else {}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _moment(value: Any) -> date | None:
    try:
        return datetime.fromtimestamp(float(value), UTC).date()
    except (TypeError, ValueError, OverflowError, OSError):
        return None
