"""Drilldowns: the searches that an analyst opens from a finding, filled in from its row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from escudo.content import Drilldown
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import TimeRange
from escudo.detect import Match
from escudo.engines.execute import Engine, Result, run_search
from escudo.findings.rows import window_bounds
from escudo.findings.tokens import Values, fill_search, fill_text, values_of
from escudo.spl.timemod import parse_time

Report = Callable[[Diagnostic], None]


@dataclass(frozen=True, slots=True)
class FilledDrilldown:
    """A drilldown of one row, ready to run. ``earliest`` and ``latest`` are as written, filled."""

    name: str
    search: str
    earliest: str
    latest: str


def fill(match: Match, row: int, *, report: Report | None = None) -> tuple[FilledDrilldown, ...]:
    """The drilldowns of a match's detection for one of its rows.

    ``$info_min_time$`` and ``$info_max_time$`` are the window of the run. A field that the row
    does not have is filled with an empty value and reported (FND004).

    Raises:
        EscudoError: FND101 where there is no such row.
    """
    if not 0 <= row < match.rows.num_rows:
        raise EscudoError("FND101", f"there is no row {row}: {match.rows.num_rows} rows were found")
    lookup = _lookup(match, match.rows.slice(row, 1).to_pylist()[0], report)
    return tuple(_fill(d, match.detection.search, lookup) for d in match.detection.drilldowns)


def _lookup(
    match: Match, row: Mapping[str, object], report: Report | None
) -> Callable[[str], Values]:
    low, high = window_bounds(match.window)
    known: dict[str, Values] = {
        "info_min_time": (f"{low:.3f}",),
        "info_max_time": ("+Infinity" if math.isinf(high) else f"{high:.3f}",),
        "info_sid": (match.sid,),
        "search_name": (match.detection.search_name,),
    }

    def lookup(name: str) -> Values:
        field = name.removeprefix("result.")
        if field in row:
            return values_of(row, field)
        if field in known:
            return known[field]
        if report is not None:
            report(
                Diagnostic(
                    "FND004",
                    f"{match.detection.name}: a drilldown names {field!r}, which the row has not",
                    Severity.WARNING,
                )
            )
        return ()

    return lookup


def _fill(drilldown: Drilldown, original: str, lookup: Callable[[str], Values]) -> FilledDrilldown:
    return FilledDrilldown(
        fill_text(drilldown.name, lookup),
        fill_search(drilldown.search, lookup, original),
        fill_text(drilldown.earliest_offset, lookup),
        fill_text(drilldown.latest_offset, lookup),
    )


def window(drilldown: FilledDrilldown, now: float) -> TimeRange:
    """The time range of a filled drilldown: epoch seconds or relative times."""
    return TimeRange(_bound(drilldown.earliest, now), _bound(drilldown.latest, now))


def _bound(text: str, now: float) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return parse_time(text, now)
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def run(
    drilldown: FilledDrilldown,
    engine: Engine,
    catalog: Catalog,
    knowledge: Knowledge,
    *,
    now: float,
) -> Result:
    """Run a filled drilldown over its window.

    Raises:
        EscudoError: what the search's language or the engine says.
    """
    return run_search(
        drilldown.search, engine, catalog, knowledge, now=now, within=window(drilldown, now)
    )
