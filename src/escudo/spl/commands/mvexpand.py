"""``mvexpand``: one row for each value of a field (Search Reference: mvexpand)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import column, prelude_call
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Mvexpand(Command):
    """``mvexpand field [limit=n]``; 0 is unlimited."""

    name: ClassVar[str] = "mvexpand"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    field: str
    limit: int = 0

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("limit")
        field = args.name()
        args.options("limit", into=options)
        return cls(field, options.integer("limit", 0, least=0), span=args.span())

    def format(self) -> str:
        return f"mvexpand {word(self.field)}{option('limit', self.limit, 0)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        bound = relation.bound(self.field)
        if bound is None or bound.type is not FieldType.MULTIVALUE:
            return relation
        values = column(bound.ident)
        count: exp.Expression = exp.Coalesce(
            this=prelude_call("spl_len", values.copy()), expressions=[exp.Literal.number(1)]
        )
        if self.limit:
            count = exp.Least(this=count, expressions=[exp.Literal.number(self.limit)])
        last = exp.Sub(
            this=exp.Greatest(this=count, expressions=[exp.Literal.number(1)]),
            expression=exp.Literal.number(1),
        )
        index = binder.names.fresh("index")
        series = exp.GenerateSeries(start=exp.Literal.number(0), end=last)
        relation = relation.hide([(index, exp.Explode(this=series))], unnest=True)
        value = Typed(prelude_call("spl_mvindex", values, column(index)), FieldType.STRING)
        relation = relation.extend([(self.field, value)], binder.names)
        return relation.ordered([*relation.order, Order(column(index), number=column(index))])
