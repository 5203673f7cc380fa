"""Sums over the fields of a row and over the rows of a field; ``addtotals`` and ``addcoltotals``
call it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    case_when,
    coalesce,
    has_value,
    literal_integer,
    literal_number,
    literal_text,
    plus,
    select,
)
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound, Typed, null_value
from escudo.spl.syntax.wildcards import select_names


def select_summands(relation: Relation, patterns: Sequence[str], binder: Binder) -> list[str]:
    """The fields to sum: those named, else all but internal ones; text that is no number counts
    for nothing."""
    if patterns:
        names = select_names(patterns, binder.matching(relation, patterns))
    else:
        names = [n for n in binder.all_names(relation) if not n.startswith("_")]
    return [n for n in names if relation.bound(n) is not None]


def sum_row(relation: Relation, names: Sequence[str]) -> Typed:
    """The sum of a row's numbers; null where it has none."""
    numbers = [
        as_number(value)
        for n in names
        if (value := relation.field(n)) is not None and value.type is not FieldType.MULTIVALUE
    ]
    if not numbers:
        return null_value(FieldType.NUMBER)
    total = reduce(plus, (coalesce(n.copy(), literal_number(0)) for n in numbers))
    first, *others = (n.copy() for n in numbers)
    sql = case_when((has_value(coalesce(first, *others)), total))
    return Typed(sql, FieldType.NUMBER)


def append_column_totals(
    relation: Relation,
    names: Sequence[str],
    *,
    label_field: str | None,
    label: str,
    binder: Binder,
) -> Relation:
    """One more row at the end, with the sum of each field, and a label in one of them."""
    sums = {
        name: Typed(exp.Sum(this=as_number(value)), FieldType.NUMBER)
        for name in names
        if (value := relation.field(name)) is not None
        and value.type is not FieldType.MULTIVALUE
        and name != label_field
    }
    if label_field is not None:
        sums[label_field] = Typed(literal_text(label), FieldType.STRING)
    if not sums:
        return relation
    fields = {name: Bound(binder.names.fresh(name), total.type) for name, total in sums.items()}
    items = [alias(total.sql, fields[name].ident) for name, total in sums.items()]
    totals = binder.query(
        lambda: select(items, relation.render()), [relation], fields, [Order(literal_integer(1))]
    )
    return stack_rows([relation, totals], binder)
