"""``delta``: the difference to an earlier row (Search Reference: delta)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import number_rows, over
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import parenthesise
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Delta(Command):
    """``delta field [AS name] [p=n]``; the default name is ``delta(field)``."""

    name: ClassVar[str] = "delta"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    field: str
    alias: str | None = None
    p: int = 1

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("p")
        field = args.name()
        args.options("p", into=options)
        alias = args.name("a name after AS") if args.accept_word("as") else None
        args.options("p", into=options)
        return cls(field, alias, options.integer("p", 1, least=1), span=args.span())

    def format(self) -> str:
        alias = f" AS {word(self.alias)}" if self.alias is not None else ""
        return f"delta {word(self.field)}{alias}{option('p', self.p, 1)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        number = as_number(value)
        relation, row = number_rows(relation, binder)
        lag = exp.Lag(this=number.copy(), offset=exp.Literal.number(self.p))
        sql = exp.Sub(this=parenthesise(number), expression=over(lag, [Order(row)]))
        added = [(self.alias or f"delta({self.field})", Typed(sql, FieldType.NUMBER))]
        return relation.extend(added, binder.names, window=True)
