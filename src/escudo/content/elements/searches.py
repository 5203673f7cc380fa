"""Baselines (searches that write a lookup or a model) and investigations (searches an analyst
runs on an object)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from escudo.content.elements.common import Origin, Schedule, read_dates
from escudo.content.elements.deployment import read_schedule
from escudo.content.reading import Section


@dataclass(frozen=True, kw_only=True)
class Baseline:
    name: str
    id: str
    version: int
    created: date | None
    date: date | None
    """When it was last changed."""
    author: str
    status: str
    description: str
    search: str
    how_to_implement: str
    known_false_positives: str
    references: tuple[str, ...]
    analytic_story: tuple[str, ...]
    detections: tuple[str, ...]
    security_domain: str
    schedule: Schedule | None
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Investigation:
    """``search`` has ``$field$`` tokens of the object under investigation."""

    name: str
    id: str
    version: int
    created: date | None
    date: date | None
    """When it was last changed."""
    author: str
    status: str
    description: str
    search: str
    how_to_implement: str
    known_false_positives: str
    references: tuple[str, ...]
    analytic_story: tuple[str, ...]
    required_fields: tuple[str, ...]
    security_domain: str
    origin: Origin


_UNUSED_TAGS = (
    "asset_type",
    "confidence",
    "context",
    "cve",
    "impact",
    "kill_chain_phases",
    "message",
    "observable",
    "product",
    "required_fields",
    "risk_score",
    "detections",
)


def read_baseline(section: Section, origin: Origin) -> Baseline:
    tags = section.section("tags") or section
    changed, created = read_dates(section)
    baseline = Baseline(
        name=section.text("name").strip(),
        id=section.text("id", ""),
        version=section.integer("version", 1),
        date=changed,
        created=created,
        author=section.text("author", ""),
        status=section.text("status", "production"),
        description=section.text("description", "").strip(),
        search=section.text("search").strip(),
        how_to_implement=section.text("how_to_implement", "").strip(),
        known_false_positives=section.text("known_false_positives", "").strip(),
        references=section.texts("references"),
        analytic_story=tags.texts("analytic_story"),
        detections=tags.texts("detections"),
        security_domain=tags.text("security_domain", ""),
        schedule=read_schedule(section),
        origin=origin,
    )
    _finish(section, tags)
    return baseline


def read_investigation(section: Section, origin: Origin) -> Investigation:
    tags = section.section("tags") or section
    changed, created = read_dates(section)
    investigation = Investigation(
        name=section.text("name").strip(),
        id=section.text("id", ""),
        version=section.integer("version", 1),
        date=changed,
        created=created,
        author=section.text("author", ""),
        status=section.text("status", "production"),
        description=section.text("description", "").strip(),
        search=section.text("search").strip(),
        how_to_implement=section.text("how_to_implement", "").strip(),
        known_false_positives=section.text("known_false_positives", "").strip(),
        references=section.texts("references"),
        analytic_story=tags.texts("analytic_story"),
        required_fields=tags.texts("required_fields"),
        security_domain=tags.text("security_domain", ""),
        origin=origin,
    )
    _finish(section, tags)
    return investigation


def _finish(section: Section, tags: Section) -> None:
    tags.ignore(*_UNUSED_TAGS)
    if tags is not section:
        tags.finish()
    section.ignore("type", "datamodel", "deployment", "tags", "deprecation_info", "inputs")
    section.finish()
