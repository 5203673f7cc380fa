"""``head``: the first rows (Search Reference: head)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import while_true
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.unparse import eval_text, option


@dataclass(frozen=True)
class Head(Command):
    """``head n``, or ``head (expr)``: rows as long as the expression holds.

    ``limit`` is None where only ``while_`` bounds the rows. ``null`` says whether a null condition
    counts as true, ``keeplast`` whether the row that ended it is kept.
    """

    name: ClassVar[str] = "head"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    limit: int | None = 10
    while_: EvalExpr | None = None
    null: bool = False
    keeplast: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("limit", "null", "keeplast")
        options = args.options(*known, strict=False)
        limit = options.integer("limit", None, least=0)
        token = args.peek()
        if limit is None and token.kind is Kind.WORD and token.text.isdigit():
            args.next()
            limit = int(token.text)
            options = args.options(*known, strict=False, into=options)
        condition = args.eval() if args.more() and args.at("(") else None
        if condition is None and args.more() and args.at_option() is None:
            condition = args.eval()
        args.options(*known, into=options)
        limit = options.integer("limit", limit, least=0)
        return cls(
            10 if limit is None and condition is None else limit,
            condition,
            options.boolean("null", False),
            options.boolean("keeplast", False),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "head"
            + (f" {self.limit}" if self.limit is not None else "")
            + (f" ({eval_text(self.while_)})" if self.while_ is not None else "")
            + option("null", self.null, False)
            + option("keeplast", self.keeplast, False)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.while_ is not None:
            condition = as_boolean(binder.evaluate(self.while_, relation))
            relation = while_true(
                relation, condition, binder, null=self.null, keep_last=self.keeplast
            )
        return relation if self.limit is None else relation.limit(self.limit)
