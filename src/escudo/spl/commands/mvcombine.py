"""``mvcombine``: rows equal but for one field into one (Search Reference: mvcombine)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.delimiters import with_delimiter
from escudo.spl.operators.windows import numbered
from escudo.spl.relation.coercion import as_list
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, column, prelude_call, select
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Mvcombine(Command):
    """``mvcombine [delim=s] field``."""

    name: ClassVar[str] = "mvcombine"

    field: str
    delim: str = " "

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("delim")
        return cls(args.name(), options.text("delim", " "), span=args.span())

    def format(self) -> str:
        return f"mvcombine{option('delim', self.delim, ' ')} {word(self.field)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        value = relation.field(self.field)
        if value is None:
            return relation
        relation, position = numbered(relation, binder)
        others = [n for n in relation.names() if n != self.field]
        ident, first = binder.names.fresh(self.field), binder.names.fresh("first")
        text = as_list(value)
        lists = prelude_call("spl_agg_flatten_ordered", text, position)
        combined = prelude_call("spl_values", prelude_call("spl_flat", lists))
        inner = relation
        fields: dict[str, Bound] = {}
        for name in relation.names():
            bound = relation.bound(name)
            assert bound is not None
            kind = FieldType.MULTIVALUE if name == self.field else bound.type
            fields[name] = Bound(ident if name == self.field else bound.ident, kind)

        def build() -> exp.Select:
            keys = [column(fields[n].ident) for n in others]
            items = [
                *keys,
                alias(combined.copy(), ident),
                alias(exp.Min(this=position.copy()), first),
            ]
            query = select(items, inner.render())
            if keys:
                query.set("group", exp.Group(expressions=[k.copy() for k in keys]))
            return query

        out = binder.query(build, [inner], fields, [Order(column(first), number=column(first))])
        return with_delimiter(out, [self.field], self.delim)
