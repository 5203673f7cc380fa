"""YAML -> an analytic story: the threat that a set of detections is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from escudo.content.elements.common import Origin, read_dates
from escudo.content.reading import Section


@dataclass(frozen=True, kw_only=True)
class Story:
    name: str
    id: str
    version: int
    created: date | None
    date: date | None
    """When it was last changed."""
    author: str
    status: str
    description: str
    narrative: str
    references: tuple[str, ...]
    category: tuple[str, ...]
    product: tuple[str, ...]
    usecase: str
    cve: tuple[str, ...]
    origin: Origin


def read_story(section: Section, origin: Origin) -> Story:
    tags = section.section("tags") or section
    changed, created = read_dates(section)
    story = Story(
        name=section.text("name").strip(),
        id=section.text("id", ""),
        version=section.integer("version", 1),
        date=changed,
        created=created,
        author=section.text("author", ""),
        status=section.text("status", "production"),
        description=section.text("description", "").strip(),
        narrative=section.text("narrative", "").strip(),
        references=section.texts("references"),
        category=tags.texts("category"),
        product=tags.texts("product"),
        usecase=tags.text("usecase", ""),
        cve=tags.texts("cve"),
        origin=origin,
    )
    tags.ignore("group", "mitre_attack_id")
    if tags is not section:
        tags.finish()
    section.ignore("type", "deprecation_info", "tags")
    section.finish()
    return story
