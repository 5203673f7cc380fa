"""Stanzas of analyticstories.conf -> stories; ``app_layer`` calls it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

from escudo.content.apps.conf import Conf
from escudo.content.apps.escu_settings import read_texts
from escudo.content.elements.common import Origin
from escudo.content.elements.story import Story

_PREFIX = "analytic_story://"
_NAMESPACE = uuid.UUID("5c1fa2a5-5f0f-4f27-9d39-6c1a5e6e0b13")


def read_stories(conf: Conf, layer: str, root: str) -> Iterator[Story]:
    """The stories of an app. ``layer`` and ``root`` are those of its other elements' origins."""
    for stanza in conf.names():
        if not stanza.startswith(_PREFIX):
            continue
        settings = conf.settings(stanza)
        values = {key: setting.value for key, setting in settings.items()}
        name = stanza.removeprefix(_PREFIX)
        first = next(iter(settings.values()), None)
        version = values.get("version", "1")
        category = values.get("category", "")
        yield Story(
            name=name,
            id=str(uuid.uuid5(_NAMESPACE, name)),
            version=int(version) if version.isdigit() else 1,
            created=None,
            date=_day(values.get("last_updated", "")),
            author=_name_maintainer(values.get("maintainers", "")),
            status="production",
            description=values.get("description", ""),
            narrative=values.get("narrative", ""),
            references=read_texts(_parse(values.get("references", ""))),
            category=(category,) if category else (),
            product=(),
            usecase="",
            cve=(),
            origin=Origin((first.span.file if first else None) or root, layer, None, root),
        )


def _name_maintainer(text: str) -> str:
    """The first maintainer, with the company."""
    listed = _parse(text)
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        return ""
    said = (str(listed[0].get(key) or "") for key in ("name", "company"))
    return ", ".join(part for part in said if part)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _parse(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
