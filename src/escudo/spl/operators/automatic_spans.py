"""Options of ranges and the rows -> spans and widths that fit them; ``bin``, ``chart``,
``timechart``, ``makecontinuous``, ``tstats`` and ``mstats`` call it where no span is given."""

from __future__ import annotations

from sqlglot import exp

from escudo.core.timerange import TimeRange
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.time_buckets import (
    DEFAULT_BINS,
    choose_span,
    choose_width,
    write_log_range,
    write_range,
)
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, select
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.series_options import NO_BINS, BinOptions
from escudo.spl.syntax.spans import SECONDS, BinSpan


def choose_time_span(relation: Relation, binder: Binder, options: BinOptions = NO_BINS) -> BinSpan:
    """The span of time buckets over a relation: the one that is given, else from the search's time
    range, where that is open from the times of the rows (a day if they cannot be read now)."""
    if options.span_width is not None:
        return options.span_width
    within = binder.within
    if within.earliest is None or within.latest is None:
        extent = find_extent(relation, "_time", binder)
        if extent is None:
            return BinSpan(1.0, "d")
        within = TimeRange(*extent) & within
    least = options.minspan
    smallest = least.size * SECONDS.get(least.unit or "s", 2592000.0) if least else 0.0
    return choose_span(within, options.bins or DEFAULT_BINS, smallest)


def write_ranges(
    relation: Relation, name: str, value: Typed, options: BinOptions, binder: Binder
) -> exp.Expression:
    """The range of each number of a field as text; null for what is no number."""
    number, span = as_number(value), options.span_width
    if span is not None and span.log_base is not None:
        return write_log_range(number, span)
    if span is not None:
        return write_range(number, span.size)
    low, high = find_extent(relation, name, binder) or (0.0, 1.0)
    low = low if options.start is None else min(low, options.start)
    high = high if options.end is None else max(high, options.end)
    least = options.minspan.size if options.minspan else 0.0
    return write_range(number, choose_width(low, high, options.bins or DEFAULT_BINS, least))


def find_extent(relation: Relation, name: str, binder: Binder) -> tuple[float, float] | None:
    """The least and the greatest number in a field; None if there is none or no runner."""
    value = relation.field(name)
    if value is None:
        return None
    if binder.runner is None:
        binder.deferred.append(f"the extent of {name}")
        return None
    number = as_number(value)
    items = [alias(exp.Min(this=number), "low"), alias(exp.Max(this=number.copy()), "high")]
    rows = binder.run(select(items, relation.render()), relation)
    low, high = (rows.column(i)[0].as_py() for i in (0, 1))
    return None if low is None else (low, high)
