"""``mvcombine``: rows equal but for one field into one (Search Reference: mvcombine)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.one_field_command import OneFieldCommand
from escudo.spl.operators.delimiters import remember_delimiter
from escudo.spl.operators.windows import number_rows
from escudo.spl.relation.coercion import as_list
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, column, group_rows, prelude_call, select
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.options import text_option


@dataclass(frozen=True)
class Mvcombine(OneFieldCommand):
    """``mvcombine [delim=s] field``.

    Rows that differ in this field only become one row, at the place of the first, with all their
    values.
    """

    name: ClassVar[str] = "mvcombine"

    delim: str = text_option(" ", "What nomv puts between the values.")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        value = relation.field(self.field)
        if value is None:
            return relation
        relation, position = number_rows(relation, binder)
        ident, first = binder.names.fresh(self.field), binder.names.fresh("first")
        lists = prelude_call("spl_agg_flatten_ordered", as_list(value), position)
        combined = prelude_call("spl_values", prelude_call("spl_flat", lists))
        bounds = {n: b for n in relation.names() if (b := relation.bound(n)) is not None}
        keys = [column(b.ident) for n, b in bounds.items() if n != self.field]
        fields = {n: Bound(b.ident, b.type) for n, b in bounds.items()}
        fields[self.field] = Bound(ident, FieldType.MULTIVALUE)
        inner = relation

        def build() -> exp.Select:
            items = [alias(combined.copy(), ident), alias(exp.Min(this=position.copy()), first)]
            query = select([*(k.copy() for k in keys), *items], inner.render())
            return group_rows(query, keys)

        order = [Order(column(first), number=column(first))]
        out = binder.query(build, [inner], fields, order, keeps_empty=True)
        return remember_delimiter(out, [self.field], self.delim)
