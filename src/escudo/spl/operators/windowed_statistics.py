"""Rows -> the same rows with statistics of their group; ``eventstats``, ``streamstats`` call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.functions.aggregate import map_aggregates
from escudo.spl.operators.grouping import (
    build_aggregate,
    expand_wildcards,
    find_arrival,
    is_present,
    needs_arrival,
)
from escudo.spl.operators.windows import over
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import all_hold, case_when, column, count_rows, literal_integer
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.aggregate_terms import Aggregate


def add_statistics(
    relation: Relation,
    aggregates: Sequence[Aggregate],
    by: Sequence[str],
    binder: Binder,
    *,
    order: Sequence[Order] = (),
    spec: exp.WindowSpec | None = None,
    partition: Sequence[exp.Expression] = (),
) -> Relation:
    """Each row with the statistics of its group (a moving part of it where ``spec`` says so).

    Rows in which a BY field is null get none (Search Reference, eventstats).
    """
    terms = expand_wildcards(aggregates, relation, binder)
    bounds = [relation.bound(name) for name in dict.fromkeys(by)]
    if any(b is None for b in bounds):
        missing = [(t.output, Typed(exp.null(), FieldType.STRING)) for t in terms]
        return relation.extend(missing, binder.names)
    keys = [b for b in bounds if b is not None]
    by_arrival: exp.Expression | None = None
    if needs_arrival(terms):
        relation, by_arrival = find_arrival(relation, binder)
    groups = [*(column(b.ident) for b in keys), *partition]
    place = _choose_window(groups, order, spec)
    grouped = all_hold([is_present(b) for b in keys])
    added: list[tuple[str, Typed]] = []
    for term in terms:
        value = build_aggregate(term, relation, binder, by_arrival)
        whole = spec is None and not order
        if keys and whole and value.sql == count_rows():
            sql = _count_group(grouped, place)
        elif keys:
            sql = case_when((grouped.copy(), map_aggregates(value.sql, place)))
        else:
            sql = map_aggregates(value.sql, place)
        added.append((term.output, Typed(sql, value.type)))
    return relation.extend(added, binder.names, window=True)


def _count_group(
    grouped: exp.Expression, place: Callable[[exp.Expression], exp.Expression]
) -> exp.Expression:
    """The rows of a whole group, null for those without a key. It looks at the group alone, so
    that an engine can filter by it before the rows are looked at again."""
    one = case_when((grouped.copy(), literal_integer(1)))
    return exp.Nullif(this=place(exp.Count(this=one)), expression=literal_integer(0))


def _choose_window(
    partition: Sequence[exp.Expression], order: Sequence[Order], spec: exp.WindowSpec | None
) -> Callable[[exp.Expression], exp.Expression]:
    def place(aggregate: exp.Expression) -> exp.Expression:
        return over(aggregate, order, partition, spec.copy() if spec else None)

    return place
