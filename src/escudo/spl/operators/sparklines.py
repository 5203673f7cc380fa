"""``sparkline(agg, span)`` -> a multivalue of one number a bucket of time; ``grouping`` calls it.

The first value is ``##__SPARKLINE__##``, by which Splunk's pages know what to draw; then comes the
statistic of each bucket, 0 where there is none. The buckets are the same for every group: those of
the search's time range, where that is open those of the times of the rows (Search Reference, stats,
sparkline function options).
"""

from __future__ import annotations

from itertools import islice

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.core.timerange import TimeRange
from escudo.spl.batch.continuity import buckets, next_start
from escudo.spl.binding.binder import Binder
from escudo.spl.functions.row import Params, StatsFunction
from escudo.spl.operators.automatic_spans import find_extent
from escudo.spl.operators.time_buckets import choose_span
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    all_hold,
    at_least,
    case_when,
    coalesce,
    less_than,
    literal_integer,
    literal_number,
    literal_text,
    prelude_call,
    text_array,
)
from escudo.spl.relation.values import Typed, null_value
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.spans import BinSpan

MARK = "##__SPARKLINE__##"
"""The first value of every sparkline."""
MOST_POINTS = 100
"""Buckets at most where no span is given (limits.conf, sparkline_maxsize)."""
_MOST_GIVEN_POINTS = 1_000
FUNCTIONS = frozenset(
    ("count", "dc", "avg", "stdev", "stdevp", "var", "varp", "sum", "sumsq", "min", "max", "range")
)
"""The statistics that a sparkline can show (Search Reference, stats)."""


def build_sparkline(
    term: Aggregate,
    function: StatsFunction,
    value: Typed | None,
    relation: Relation,
    binder: Binder,
) -> Typed:
    """The aggregates of all buckets as one list; null if the rows have no ``_time``."""
    inner = term.inner
    assert inner is not None
    if inner.function not in FUNCTIONS:
        raise EscudoError(
            "SPL202",
            f"a sparkline cannot show {inner.function}()",
            span=term.span,
            hint=f"one of {', '.join(sorted(FUNCTIONS))}",
        )
    time = relation.field("_time")
    if time is None:
        return null_value(FieldType.MULTIVALUE)
    at = as_number(time)
    points: list[exp.Expression] = [literal_text(MARK)]
    for start, end in _find_buckets(term, relation, binder):
        within = all_hold(
            [at_least(at.copy(), literal_number(start)), less_than(at.copy(), literal_number(end))]
        )
        counted = Typed(literal_integer(1), FieldType.INTEGER) if value is None else value
        inside = Typed(case_when((within, counted.sql.copy())), counted.type)
        number = as_number(function.build(inside, time, Params()))
        points.append(prelude_call("spl_text", coalesce(number, literal_number(0))))
    return Typed(text_array(points), FieldType.MULTIVALUE)


def _find_buckets(term: Aggregate, relation: Relation, binder: Binder) -> list[tuple[float, float]]:
    """Start and end of each bucket; none if the times cannot be known while binding."""
    within = binder.within
    if within.earliest is None or within.latest is None:
        extent = find_extent(relation, "_time", binder)
        if extent is None:
            return []
        low = extent[0] if within.earliest is None else within.earliest
        high = extent[1] if within.latest is None else within.latest - 1e-6
    else:
        low, high = within.earliest, within.latest - 1e-6
    span = term.span_width or _choose_span(low, high)
    starts = list(islice(buckets(low, high, span, binder.zone), _MOST_GIVEN_POINTS + 1))
    if len(starts) > _MOST_GIVEN_POINTS:
        raise EscudoError(
            "SPL202",
            f"a sparkline of {span.format()} has more than {_MOST_GIVEN_POINTS:,} points here",
            span=term.span,
            hint="give a longer span, or leave it out",
        )
    return [(start, next_start(start, span, binder.zone)) for start in starts]


def _choose_span(low: float, high: float) -> BinSpan:
    return choose_span(TimeRange(low, high), MOST_POINTS)
