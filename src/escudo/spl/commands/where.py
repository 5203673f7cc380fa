"""``where``: keeps the rows for which an eval expression holds (Search Reference: where)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr
from escudo.spl.syntax.unparse import eval_text


@dataclass(frozen=True)
class Where(Command):
    """``where expr``.

    The rows for which the eval expression holds. Values compare with regard to case.
    """

    name: ClassVar[str] = "where"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, filters=True)

    expr: EvalExpr

    @classmethod
    def parse(cls, args: Args) -> Self:
        if not args.more():
            args.missing("an expression")
        expr = args.eval()
        if args.more():
            args.expected("an operator or the end of the expression")
        return cls(expr=expr, span=args.span())

    def format(self) -> str:
        return f"where {eval_text(self.expr)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        condition = as_boolean(binder.evaluate(self.expr, relation))
        return relation.where(condition)
