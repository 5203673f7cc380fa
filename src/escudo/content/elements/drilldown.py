"""YAML -> the drilldowns of a detection: what an analyst opens from a finding."""

from __future__ import annotations

from dataclasses import dataclass

from escudo.content.reading import Section
from escudo.core.errors import Span


@dataclass(frozen=True)
class Drilldown:
    """A search with ``$field$`` tokens, and the window it looks at (tokens as well)."""

    name: str
    search: str
    earliest_offset: str
    latest_offset: str
    span: Span | None = None


def read_drilldowns(detection: Section) -> tuple[Drilldown, ...]:
    out = []
    for section in detection.sections("drilldown_searches"):
        out.append(
            Drilldown(
                section.text("name"),
                section.text("search"),
                section.text("earliest_offset", "$info_min_time$"),
                section.text("latest_offset", "$info_max_time$"),
                section.span_of("search"),
            )
        )
        section.finish()
    return tuple(out)
