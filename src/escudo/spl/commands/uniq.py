"""``uniq``: rows that differ from the row before (Search Reference: uniq)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.windows import number_rows, number_runs
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import at_most, column, literal_integer
from escudo.spl.syntax.args import Args


@dataclass(frozen=True)
class Uniq(Command):
    """``uniq``.

    A row that has the same values in all fields as the row before it is left out.
    """

    name: ClassVar[str] = "uniq"

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "uniq"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        bounds = [b for name in binder.all_names(relation) if (b := relation.bound(name))]
        if not bounds:
            return relation.limit(1)
        relation, run = number_runs(relation, [column(b.ident) for b in bounds], binder)
        relation, number = number_rows(relation, binder, [run])
        return relation.where(at_most(number, literal_integer(1)))
