"""``reverse``: the rows in reverse order (Search Reference: reverse)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import reverse_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args


@dataclass(frozen=True)
class Reverse(Command):
    """``reverse``.

    The rows in reverse order.
    """

    name: ClassVar[str] = "reverse"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "reverse"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return reverse_rows(rows(source, self), binder)
