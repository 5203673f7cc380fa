"""What contentctl writes of an element beside Splunk's own settings -> its id, version, type and
texts; ``app_layer`` and ``app_stories`` read it.

Facts: contentctl 5.6.2, ``savedsearches_*.j2``. An app that was not built by it has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from escudo.content.apps.setting_values import (
    Settings,
    read_day,
    read_json,
    read_setting,
    read_texts,
)
from escudo.content.elements.detection import STATUSES, TYPES
from escudo.content.reading import read_whole

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


def read_escu_settings(settings: Settings) -> EscuSettings:
    """What a stanza says beside Splunk's own settings."""
    said = _read_object(settings, "action.correlationsearch.metadata")
    notes = _read_object(settings, "action.correlationsearch.annotations")
    kind = notes.get("type")
    status = str(said.get("status", ""))
    if status not in STATUSES:
        status = "deprecated" if str(said.get("deprecated")) == "1" else "production"
    version = read_whole(str(said.get("detection_version", "")))
    changed = read_day(settings, "action.escu.modification_date")
    stories = read_texts(read_json(settings, "action.escu.analytic_story"))
    return EscuSettings(
        search_type=read_setting(settings, "action.escu.search_type").strip().lower(),
        id=str(said.get("detection_id", "")),
        version=1 if version is None else version,
        status=status,
        changed=changed or _moment(said.get("publish_time")),
        created=read_day(settings, "action.escu.creation_date"),
        type=kind if isinstance(kind, str) and kind in TYPES else "",
        how_to_implement=_words(settings, "action.escu.how_to_implement"),
        known_false_positives=_words(settings, "action.escu.known_false_positives"),
        stories=stories or read_texts(notes.get("analytic_story")),
        data_source=read_texts(notes.get("data_source")),
        product=read_texts(read_json(settings, "action.escu.product")),
        atomic_guid=read_texts(read_json(settings, "action.escu.atomic_red_team_guids")),
        notes=notes,
    )


def _words(settings: Settings, key: str) -> str:
    text = read_setting(settings, key)
    return "" if text == _NOTHING else text


def _read_object(settings: Settings, key: str) -> Mapping[str, Any]:
    value = read_json(settings, key)
    return value if isinstance(value, dict) else {}


def _moment(value: Any) -> date | None:
    try:
        return datetime.fromtimestamp(float(value), UTC).date()
    except (TypeError, ValueError, OverflowError, OSError):
        return None
