"""A match's row -> its drilldowns, the searches that an analyst opens from a finding; called where
findings are made, and to run them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, repeat

import pyarrow as pa

from escudo.content import Detection
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import TimeRange
from escudo.detect import Match
from escudo.engines.execute import Engine, Result, run_search
from escudo.findings.rows import date_rows, split_window
from escudo.findings.tokens import (
    ORIGINAL_SEARCH,
    Template,
    Values,
    list_members,
    parse_search_template,
    parse_text_template,
)
from escudo.spl import parse_time

Report = Callable[[Diagnostic], None]

MOST_FILLED = 10_000
"""Rows that drilldowns are filled for and kept, for others with the same values."""

_MILLISECOND = 0.001
_OFFSET = re.compile(r"\d+[A-Za-z]+(?:@[A-Za-z]+[0-7]?)?")


@dataclass(frozen=True, slots=True)
class FilledDrilldown:
    """A drilldown of one row, ready to run. ``earliest`` and ``latest`` are as written, filled."""

    name: str
    search: str
    earliest: str
    latest: str

    def as_dict(self) -> dict[str, str]:
        return {
            "name": self.name,
            "search": self.search,
            "earliest": self.earliest,
            "latest": self.latest,
        }


def find_drilldown_clock(match: Match, row: int) -> float:
    """The time from which the drilldowns of a row count ``-7d`` and the like: just after the row's
    finding, so that what led to it lies before."""
    return float(date_rows(match)[row].as_py()) + _MILLISECOND


def fill_drilldowns(
    match: Match, row: int, *, report: Report | None = None
) -> tuple[FilledDrilldown, ...]:
    """The drilldowns of a match's detection for one of its rows.

    ``$info_min_time$`` and ``$info_max_time$`` are the window of the run. A field that the row
    does not have is filled with an empty value and reported (FND004).

    Raises:
        EscudoError: FND101 where there is no such row.
    """
    if not 0 <= row < match.rows.num_rows:
        raise EscudoError("FND101", f"there is no row {row}: {match.rows.num_rows} rows were found")
    one = match.take(pa.array([row], pa.int64()))
    if report is not None:
        report_unknown_tokens(match, report)
    return next(fill_all_drilldowns(one))


def fill_all_drilldowns(match: Match) -> Iterator[tuple[FilledDrilldown, ...]]:
    """``fill_drilldowns`` for each row. Rows with the same values in the fields that drilldowns
    name have the same drilldowns, filled once."""
    templates = _parse_templates(match.detection)
    known = _known(match)
    named = [n for n in _list_fields(templates) if n in match.rows.column_names]

    @lru_cache(maxsize=MOST_FILLED)
    def fill(held: tuple[Values, ...]) -> tuple[FilledDrilldown, ...]:
        row = dict(zip(named, held, strict=True))

        def lookup(name: str) -> Values:
            field = name.removeprefix("result.")
            return row[field] if field in row else known.get(field, ())

        return tuple(
            FilledDrilldown(
                name.fill(lookup),
                search.fill(lookup, match.detection.search),
                earliest.fill(lookup),
                latest.fill(lookup),
            )
            for name, search, earliest, latest in templates
        )

    for part in match.cut():
        columns = [list(map(list_members, part.rows[name].to_pylist())) for name in named]
        for held in zip(*columns, strict=True) if columns else repeat((), part.rows.num_rows):
            yield fill(held)


def _known(match: Match) -> Mapping[str, Values]:
    """What every row of a run has besides its fields."""
    low, high = split_window(match.window)
    return {
        "info_min_time": (f"{low:.3f}",),
        "info_max_time": ("+Infinity" if math.isinf(high) else f"{high:.3f}",),
        "info_sid": (match.sid,),
        "search_name": (match.detection.search_name,),
    }


def _parse_templates(detection: Detection) -> list[tuple[Template, ...]]:
    """The name, search, earliest and latest of each drilldown."""
    return [
        (
            parse_text_template(d.name),
            parse_search_template(d.search),
            parse_text_template(d.earliest_offset),
            parse_text_template(d.latest_offset),
        )
        for d in detection.drilldowns
    ]


def _list_fields(templates: Iterable[tuple[Template, ...]]) -> list[str]:
    """The fields that drilldowns name."""
    parts = chain.from_iterable(t.parts for four in templates for t in four)
    names = (name.removeprefix("result.") for name, render in parts if render is not None)
    return [name for name in dict.fromkeys(names) if name != ORIGINAL_SEARCH]


def report_unknown_tokens(match: Match, report: Report) -> None:
    """Reports each field that drilldowns name and the rows do not have (FND004)."""
    known = _known(match)
    for name in _list_fields(_parse_templates(match.detection)):
        if name not in match.rows.column_names and name not in known:
            report(
                Diagnostic(
                    "FND004",
                    f"{match.detection.name}: a drilldown names {name!r}, which the row has not",
                    Severity.WARNING,
                )
            )


def find_window(drilldown: FilledDrilldown, now: float) -> TimeRange:
    """The time range of a filled drilldown: epoch seconds, relative times or offsets.

    An offset has no sign (``7d``): a start lies so long before the finding, an end so long after it
    (Enterprise Security, drilldown earliest and latest offset). An end of ``0`` is the finding's
    own time, ``now``; a start of 0 is the beginning of all time.

    >>> week = FilledDrilldown("risk of a week", "index=risk", "7d", "0")
    >>> find_window(week, 1_000_000.0)
    TimeRange(earliest=395200.0, latest=1000000.0)
    """
    ends_now = drilldown.latest.strip() == "0"
    return TimeRange(
        _bound(drilldown.earliest, now, sign="-"),
        now if ends_now else _bound(drilldown.latest, now, sign="+"),
    )


def _bound(text: str, now: float, *, sign: str) -> float | None:
    if _OFFSET.fullmatch(text.strip()):
        return parse_time(sign + text.strip(), now)
    try:
        seconds = float(text)
    except ValueError:
        return parse_time(text, now)
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def run_drilldown(
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
        drilldown.search, engine, catalog, knowledge, now=now, within=find_window(drilldown, now)
    )
