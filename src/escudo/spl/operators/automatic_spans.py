"""Spans that depend on the data: ``bin`` and ``BY _time`` without a span."""

from __future__ import annotations

from sqlglot import exp

from escudo.core.timerange import TimeRange
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.time_buckets import DEFAULT_BINS, choose_span
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, select
from escudo.spl.syntax.spans import SECONDS, BinSpan


def choose_time_span(
    relation: Relation, binder: Binder, bins: int | None = None, least: BinSpan | None = None
) -> BinSpan:
    """The span of time buckets over a relation: from the search's time range, where it is open
    from the times of the rows (a day if they cannot be read now)."""
    within = binder.within
    if within.earliest is None or within.latest is None:
        found = find_extent(relation, "_time", binder)
        if found is None:
            return BinSpan(1.0, "d")
        within = TimeRange(*found) & within
    smallest = least.size * SECONDS.get(least.unit or "s", 2592000.0) if least else 0.0
    return choose_span(within, bins or DEFAULT_BINS, smallest)


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
