"""Sums over the fields of a row and over the rows of a field: ``addtotals``, ``addcoltotals``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, literal_number, literal_text, select
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
    total: exp.Expression | None = None
    for n in numbers:
        part = exp.Coalesce(this=n.copy(), expressions=[literal_number(0)])
        total = part if total is None else exp.Add(this=total, expression=part)
    some = exp.Coalesce(this=numbers[0].copy(), expressions=[n.copy() for n in numbers[1:]])
    present = exp.Not(this=exp.Is(this=some, expression=exp.null()))
    case = exp.Case(ifs=[exp.If(this=present, true=total)])
    return Typed(case, FieldType.NUMBER)


def append_column_totals(
    relation: Relation,
    names: Sequence[str],
    label_field: str | None,
    label: str,
    binder: Binder,
) -> Relation:
    """One more row at the end, with the sum of each field, and a label in one of them."""
    fields: dict[str, Bound] = {}
    items: list[exp.Expression] = []
    for name in names:
        value = relation.field(name)
        if value is None or value.type is FieldType.MULTIVALUE or name == label_field:
            continue
        ident = binder.names.fresh(name)
        items.append(alias(exp.Sum(this=as_number(value)), ident))
        fields[name] = Bound(ident, FieldType.NUMBER)
    if label_field is not None:
        ident = binder.names.fresh(label_field)
        items.append(alias(literal_text(label), ident))
        fields[label_field] = Bound(ident, FieldType.STRING)
    if not items:
        return relation

    def build() -> exp.Select:
        return select(items, relation.render())

    one = exp.Literal.number(1)
    totals = binder.query(build, [relation], fields, [Order(one)])
    return stack_rows([relation, totals], binder)
