"""The most and least common values: ``top`` and ``rare``."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.grouping import aggregate_rows
from escudo.spl.operators.windows import over
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    cast_to,
    column,
    literal_number,
    literal_text,
    prelude_call,
    select,
)
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.aggregate_terms import Aggregate


@dataclass(frozen=True)
class Ranking:
    """What ``top`` and ``rare`` are asked for; ``limit`` 0 is all."""

    fields: tuple[str, ...]
    by: tuple[str, ...]
    limit: int
    count_field: str | None
    percent_field: str | None
    other: str | None
    most_first: bool


_COUNT = "\0count"


def rank_values(relation: Relation, ranking: Ranking, binder: Binder) -> Relation:
    """The combinations of values by how often they occur, in each BY group."""
    wanted = (*ranking.by, *ranking.fields)
    counted = aggregate_rows(relation, [Aggregate("count", alias=_COUNT)], wanted, binder)
    found = {name: counted.bound(name) for name in wanted}
    keys = {name: bound for name, bound in found.items() if bound is not None}
    count = counted.bound(_COUNT)
    assert count is not None
    by = [column(keys[n].ident) for n in ranking.by]
    order = [Order(column(count.ident), ranking.most_first, column(count.ident))]
    order += [Order(column(keys[n].ident)) for n in ranking.fields]
    total, rank = binder.names.fresh("total"), binder.names.fresh("rank")
    counted = counted.hide(
        [
            (total, over(exp.Sum(this=column(count.ident)), partition=by)),
            (rank, over(exp.RowNumber(), order, by)),
        ],
        window=True,
    )
    if ranking.limit and ranking.other is not None:
        counted, count, keys, rank = _with_other(counted, ranking, keys, count, total, rank, binder)
    elif ranking.limit:
        within = exp.LTE(this=column(rank), expression=exp.Literal.number(ranking.limit))
        counted = counted.where(within)
    share = exp.Div(
        this=exp.Mul(
            this=cast_to(column(count.ident), FieldType.NUMBER),
            expression=literal_number(100),
        ),
        expression=column(total),
    )
    percent = Typed(prelude_call("spl_round", share, exp.Literal.number(6)), FieldType.NUMBER)
    shown: dict[str, Bound] = dict(keys)
    if ranking.count_field is not None:
        shown[ranking.count_field] = count
    result = counted.closed(shown)
    if ranking.percent_field is not None:
        result = result.extend([(ranking.percent_field, percent)], binder.names)
    sequence = [Order(column(keys[n].ident)) for n in ranking.by]
    return result.ordered([*sequence, Order(column(rank), number=column(rank))])


def _with_other(
    counted: Relation,
    ranking: Ranking,
    keys: dict[str, Bound],
    count: Bound,
    total: str,
    rank: str,
    binder: Binder,
) -> tuple[Relation, Bound, dict[str, Bound], str]:
    """The combinations beyond the limit as one row of ``otherstr``."""
    assert ranking.other is not None
    beyond = exp.GT(this=column(rank), expression=exp.Literal.number(ranking.limit))
    labels: dict[str, Bound] = {}
    cells: list[exp.Expression] = []
    for name in (*ranking.by, *ranking.fields):
        ident = binder.names.fresh(name)
        cell: exp.Expression = column(keys[name].ident)
        if name in ranking.fields:
            other = exp.If(this=beyond.copy(), true=literal_text(ranking.other))
            cell = exp.Case(ifs=[other], default=as_text(keys[name].typed()))
        cells.append(alias(cell, ident))
        kind = FieldType.STRING if name in ranking.fields else keys[name].type
        labels[name] = Bound(ident, kind)
    place = exp.Least(this=column(rank), expressions=[exp.Literal.number(ranking.limit + 1)])
    place_ident = binder.names.fresh("rank")
    sum_ident = binder.names.fresh("count")

    def build() -> exp.Select:
        inner = select([*cells, alias(place, place_ident)], counted.render(), star=True)
        groups = [column(b.ident) for b in labels.values()] + [column(place_ident)]
        summed = cast_to(exp.Sum(this=column(count.ident)), FieldType.INTEGER)
        items = [
            *groups,
            alias(summed, sum_ident),
            alias(exp.Max(this=column(total)), total),
        ]
        query = select(items, inner)
        query.set("group", exp.Group(expressions=[g.copy() for g in groups]))
        return query

    both = binder.query(build, [counted], labels)
    return both, Bound(sum_ident, FieldType.INTEGER), labels, place_ident
