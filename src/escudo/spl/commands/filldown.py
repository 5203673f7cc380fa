"""``filldown``: nulls take the last value above them (Search Reference: filldown)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.windows import frame, number_rows, over
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import words
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class Filldown(Command):
    """``filldown [fields]``; a name may hold ``*``; without fields, all."""

    name: ClassVar[str] = "filldown"

    fields: tuple[str, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(args.names(least=0), span=args.span())

    def format(self) -> str:
        return "filldown" + (f" {words(self.fields, separator=' ')}" if self.fields else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = self.fields or ("*",)
        if not self.fields:
            relation = binder.closed(relation)
        relation, row = number_rows(relation, binder)
        filled: list[tuple[str, Typed]] = []
        for name in select_names(names, binder.matching(relation, names)):
            value = relation.field(name)
            if value is not None and not (name.startswith("_") and name not in self.fields):
                last = exp.IgnoreNulls(this=exp.LastValue(this=value.sql))
                sql = over(last, [Order(row)], spec=frame(None, 0))
                filled.append((name, Typed(sql, value.type)))
        return relation.extend(filled, binder.names, window=True)
