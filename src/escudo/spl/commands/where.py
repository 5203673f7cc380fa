"""``where``: keeps the rows for which an eval expression holds (Search Reference: where)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command, EvalExpr
from escudo.spl.bind import rows
from escudo.spl.unparse import eval_text

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Where(Command):
    """``where expr``."""

    name: ClassVar[str] = "where"

    expr: EvalExpr

    @classmethod
    def parse(cls, args: Args) -> Self:
        if not args.more():
            args.missing("an expression")
        expr = args.eval()
        if args.more():
            args.expected("an operator or the end of the expression")
        return cls(expr, span=args.span())

    def format(self) -> str:
        return f"where {eval_text(self.expr)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        condition = coerce.as_boolean(binder.evaluate(self.expr, relation))
        return relation.where(condition)
