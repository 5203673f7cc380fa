"""A search, events -> which of its conditions each event meets; called by ``escudo why``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from escudo.actions.named_search import NamedSearch, errors_in_file, point_into_file
from escudo.actions.workspace import SearchPlace
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, Severity
from escudo.detect.one_event import EVENT_ID, OneEvent
from escudo.detect.why import Explanation, Why


def explain_event(
    searches: Sequence[NamedSearch], place: SearchPlace, event: int | Mapping[str, Any]
) -> Iterator[tuple[NamedSearch, Explanation]]:
    """What each search makes of an event.

    Args:
        event: its ``_event_id`` in the lake, or its fields (``detect.one_event``); a field that
            the dataset does not have is DET203 among the diagnostics.

    Raises:
        EscudoError: DET201 if there is no such event; what compiling a search raises.
    """
    snapshot = place.lake.snapshot()
    for search in searches:
        if isinstance(event, int):
            with errors_in_file(search):
                explanation = _why(search, place, snapshot).explain_event(event)
        else:
            with (
                tempfile.TemporaryDirectory(prefix="escudo-event-") as folder,
                errors_in_file(search),
            ):
                catalog = OneEvent(snapshot, event, Path(folder), now=place.now)
                explanation = _why(search, place, catalog).explain_event(EVENT_ID)
            diagnostics = (*explanation.diagnostics, *_list_unknown(catalog))
            explanation = replace(explanation, diagnostics=diagnostics)
        yield search, _in_file(explanation, search)


def explain_nearest(
    searches: Sequence[NamedSearch], place: SearchPlace, count: int
) -> Iterator[tuple[NamedSearch, Explanation]]:
    """So many events (or rows further down the pipeline) of the lake that fail the fewest
    conditions of each search, but at least one.

    Raises:
        EscudoError: what compiling a search raises.
    """
    snapshot = place.lake.snapshot()
    for search in searches:
        with errors_in_file(search):
            explanation = _why(search, place, snapshot).explain_nearest(count)
        yield search, _in_file(explanation, search)


def _why(search: NamedSearch, place: SearchPlace, catalog: Catalog) -> Why:
    return Why(
        search.text,
        place.engine_of(catalog),
        catalog,
        place.knowledge,
        now=place.now,
        within=place.within,
        file=search.file,
    )


def _in_file(explanation: Explanation, search: NamedSearch) -> Explanation:
    """The explanation, its diagnostics with their places in the file as it is on the disk."""
    diagnostics = tuple(point_into_file(d, search) for d in explanation.diagnostics)
    return replace(explanation, diagnostics=diagnostics)


def _list_unknown(catalog: OneEvent) -> Iterator[Diagnostic]:
    for table, names in catalog.unknown.items():
        fields = ", ".join(names)
        yield Diagnostic("DET203", f"{table} has no field {fields}", Severity.WARNING)
