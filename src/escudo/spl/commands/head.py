"""``head``: the first rows (Search Reference: head)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import frame, over
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import case_when, coalesce, column, equal, literal_integer
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr
from escudo.spl.syntax.options import boolean_option, format_options, integer_option
from escudo.spl.syntax.unparse import eval_text

MOST_ROWS = 10
"""Rows that are kept where neither a number nor a condition bounds them."""


@dataclass(frozen=True)
class Head(Command):
    """``head [n] [(expr)] [options]``.

    The first rows: ``n`` of them, or as long as the expression holds, or whichever ends first.
    ``n`` is the same as ``limit``.
    """

    name: ClassVar[str] = "head"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    while_: EvalExpr | None = None
    limit: int | None = integer_option(
        None,
        "Rows that are kept at most; 10 where there is no condition either.",
        least=0,
        bare=True,
    )
    null: bool = boolean_option(False, "Whether a condition that is null counts as true.")
    keeplast: bool = boolean_option(False, "Whether the row that ended it is kept.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        if "limit" not in options:
            args.read_number(options, "limit")
        args.read_options(cls, into=options)
        condition = args.eval() if args.more() else None
        args.read_options(cls, into=options)
        return cls(while_=condition, **options.values(cls), span=args.span())

    def format(self) -> str:
        condition = f" ({eval_text(self.while_)})" if self.while_ is not None else ""
        return f"head{format_options(self)}{condition}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.while_ is None:
            return relation.limit(MOST_ROWS if self.limit is None else self.limit)
        condition = as_boolean(binder.evaluate(self.while_, relation))
        relation = self._keep_while(condition, relation, binder)
        return relation if self.limit is None else relation.limit(self.limit)

    def _keep_while(
        self, condition: exp.Expression, relation: Relation, binder: Binder
    ) -> Relation:
        """The rows up to the first for which the condition does not hold."""
        none, one = literal_integer(0), literal_integer(1)
        held = coalesce(condition, exp.true() if self.null else exp.false())
        failed = exp.Sum(this=case_when((held, none), otherwise=one))
        before = frame(None, -1 if self.keeplast else 0)
        ident = binder.names.fresh("failed")
        failures = over(failed, relation.order, spec=before)
        relation = relation.hide([(ident, failures)], window=True)
        return relation.where(equal(coalesce(column(ident), none.copy()), none.copy()))
