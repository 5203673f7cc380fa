"""``accum``: a running total (Search Reference: accum)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import frame, number_rows, over
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Accum(Command):
    """``accum field [AS name]``."""

    name: ClassVar[str] = "accum"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    field: str
    alias: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        field = args.name()
        alias = args.name("a name after AS") if args.accept_word("as") else None
        return cls(field, alias, span=args.span())

    def format(self) -> str:
        alias = f" AS {word(self.alias)}" if self.alias is not None else ""
        return f"accum {word(self.field)}{alias}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        number = as_number(value)
        relation, row = number_rows(relation, binder)
        total = over(exp.Sum(this=number), [Order(row)], spec=frame(None, 0))
        present = exp.Not(this=exp.Is(this=number.copy(), expression=exp.null()))
        sql = exp.Case(ifs=[exp.If(this=present, true=total)])
        added = [(self.alias or self.field, Typed(sql, FieldType.NUMBER))]
        return relation.extend(added, binder.names, window=True)
