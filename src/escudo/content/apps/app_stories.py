"""Stanzas of analyticstories.conf -> stories; ``app_layer`` calls it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from escudo.content.apps.conf import Conf
from escudo.content.apps.setting_values import (
    Settings,
    read_day,
    read_json,
    read_number,
    read_objects,
    read_setting,
    read_texts,
)
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
        name = stanza.removeprefix(_PREFIX)
        first = next(iter(settings.values()), None)
        category = read_setting(settings, "category")
        yield Story(
            name=name,
            id=str(uuid.uuid5(_NAMESPACE, name)),
            version=read_number(settings, "version", 1),
            created=None,
            date=read_day(settings, "last_updated"),
            author=_name_maintainer(settings),
            status="production",
            description=read_setting(settings, "description"),
            narrative=read_setting(settings, "narrative"),
            references=read_texts(read_json(settings, "references")),
            category=(category,) if category else (),
            product=(),
            usecase="",
            cve=(),
            origin=Origin((first.span.file if first else None) or root, layer, None, root),
        )


def _name_maintainer(settings: Settings) -> str:
    """The first maintainer, with the company."""
    listed = read_objects(read_json(settings, "maintainers"))
    first = listed[0] if listed else {}
    said = (str(first.get(key) or "") for key in ("name", "company"))
    return ", ".join(part for part in said if part)
