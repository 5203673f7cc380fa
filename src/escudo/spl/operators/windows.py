"""Expressions over the rows around a row -> SQL windows: neighbours, running numbers, stretches.

Called by the commands that depend on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from escudo.spl.binding.binder import Binder
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    any_holds,
    case_when,
    column,
    literal_integer,
    prelude_call,
)
from escudo.spl.relation.steps import Order


def over(
    function: exp.Expression,
    order: Sequence[Order] = (),
    partition: Sequence[exp.Expression] = (),
    spec: exp.WindowSpec | None = None,
) -> exp.Window:
    """``function OVER (PARTITION BY ... ORDER BY ... frame)``."""
    keys = [o.ordered() for o in _merge_keys(order)]
    return exp.Window(
        this=function,
        partition_by=[p.copy() for p in partition] or None,
        order=exp.Order(expressions=keys) if keys else None,
        spec=spec,
        over="OVER",
    )


def _merge_keys(order: Sequence[Order]) -> Sequence[Order]:
    """The order of arrival as a single key, which an engine may turn into a top-N."""
    if len(order) != 2 or not all(o.arrival for o in order):
        return order
    time, number = order
    both = prelude_call("spl_arrival", time.sql.copy(), number.sql.copy())
    return [Order(both, time.descending)]


def frame(start: int | None, end: int | None) -> exp.WindowSpec:
    """``ROWS BETWEEN start AND end``: offsets from the current row, None is unbounded.

    >>> frame(None, 0).sql(), frame(-2, -1).sql()
    ('ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW', 'ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING')
    """
    start_value, start_side = _bound(start, "PRECEDING")
    end_value, end_side = _bound(end, "FOLLOWING")
    return exp.WindowSpec(
        kind="ROWS", start=start_value, start_side=start_side, end=end_value, end_side=end_side
    )


def _bound(offset: int | None, side: str) -> tuple[str | exp.Expression, str | None]:
    if offset is None:
        return "UNBOUNDED", side
    if offset == 0:
        return "CURRENT ROW", None
    return literal_integer(abs(offset)), "PRECEDING" if offset < 0 else "FOLLOWING"


def number_rows(
    relation: Relation, binder: Binder, partition: Sequence[exp.Expression] = ()
) -> tuple[Relation, exp.Column]:
    """A hidden column that counts the rows from 1 in their order (in each partition)."""
    ident = binder.names.fresh("row")
    number = over(exp.RowNumber(), relation.order, partition)
    return relation.hide([(ident, number)], window=True), column(ident)


def number_runs(
    relation: Relation, values: Sequence[exp.Expression], binder: Binder
) -> tuple[Relation, exp.Column]:
    """A hidden column that numbers the runs of rows with the same values."""
    changed: list[exp.Expression] = []
    for value in values:
        before = over(exp.Lag(this=value.copy()), relation.order)
        changed.append(exp.NullSafeNEQ(this=value.copy(), expression=before))
    flag = case_when((any_holds(changed), literal_integer(1)), otherwise=literal_integer(0))
    start = binder.names.fresh("start")
    relation = relation.hide([(start, flag)], window=True)
    run = binder.names.fresh("run")
    count = over(exp.Sum(this=column(start)), relation.order, spec=frame(None, 0))
    return relation.hide([(run, count)], window=True), column(run)


def reverse_rows(relation: Relation, binder: Binder) -> Relation:
    """The same rows, last one first."""
    relation, row = number_rows(relation, binder)
    return relation.ordered([Order(row, descending=True, number=row)])
