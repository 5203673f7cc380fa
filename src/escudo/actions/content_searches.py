"""Content -> the searches in it that can be run, with what fills their tokens; ``validate`` runs
them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from escudo.content import Content, Detection, Origin
from escudo.content.elements.drilldown import Drilldown
from escudo.content.loading import BUILTIN
from escudo.core.errors import Diagnostic, EscudoError, Span
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.findings.drilldown import FilledDrilldown, find_window
from escudo.findings.tokens import Values, fill_search, parse_text_template

KINDS = ("detections", "baselines", "investigations", "drilldowns")

_WINDOW = 3600.0
"""Seconds of the run that drilldowns are filled for."""


@dataclass(frozen=True, slots=True)
class ContentSearch:
    """One search to check. ``place`` is where it stands in its file; ``within`` its window, or what
    is wrong with that."""

    kind: str
    name: str
    text: str
    file: str
    place: Span | None
    within: TimeRange | Diagnostic = ALL_TIME
    written: str | None = None
    """The search with its tokens, if it has any."""


def list_searches(
    content: Content, *, now: float, around: tuple[Path, ...] = ()
) -> Iterator[ContentSearch]:
    """The searches of the content that Escudo did not bring itself, tokens filled with a sample.

    Args:
        now: the end of the window that drilldowns are filled for, in epoch seconds.
        around: folders of content that is only there to be referred to; it is left out.
    """
    for detection in content.detections:
        if not is_judged(detection.origin, around):
            continue
        yield ContentSearch(
            "detections",
            detection.name,
            detection.search,
            detection.origin.file,
            detection.origin.search,
        )
        for drilldown in detection.drilldowns:
            yield _fill_drilldown(detection, drilldown, now)
    for kind, elements in (
        ("baselines", content.baselines),
        ("investigations", content.investigations),
    ):
        for element in elements:
            if is_judged(element.origin, around):
                yield ContentSearch(
                    kind,
                    element.name,
                    fill_search(element.search, _sample, ""),
                    element.origin.file,
                    element.origin.search,
                    written=element.search,
                )


def is_judged(origin: Origin, around: tuple[Path, ...]) -> bool:
    """Whether an element is of the content that is validated."""
    if origin.layer == BUILTIN:
        return False
    return not any(Path(origin.file).is_relative_to(path) for path in around)


def _fill_drilldown(detection: Detection, drilldown: Drilldown, now: float) -> ContentSearch:
    run = {"info_min_time": (f"{now - _WINDOW:.3f}",), "info_max_time": (f"{now:.3f}",)}

    def lookup(name: str) -> Values:
        return run.get(name) or _sample(name)

    earliest, latest = (
        parse_text_template(text).fill(lookup)
        for text in (drilldown.earliest_offset, drilldown.latest_offset)
    )
    text = fill_search(drilldown.search, lookup, detection.search)
    return ContentSearch(
        "drilldowns",
        f"{detection.name}: {drilldown.name}",
        text,
        detection.origin.file,
        drilldown.span,
        _read_window(FilledDrilldown(drilldown.name, text, earliest, latest), now, drilldown.span),
        drilldown.search.strip(),
    )


def _read_window(
    drilldown: FilledDrilldown, now: float, span: Span | None
) -> TimeRange | Diagnostic:
    try:
        return find_window(drilldown, now)
    except EscudoError as error:
        return Diagnostic(
            "FND007",
            f"the drilldown's window from {drilldown.earliest!r} to {drilldown.latest!r} cannot be"
            f" read: {error.diagnostic.message}",
            span=span,
            hint="such as $info_min_time$ to $info_max_time$, or 7d to 0",
        )


def _sample(_name: str) -> Values:
    """A value for any token; it looks like a number so that it fits everywhere."""
    return ("1",)
