"""``inputlookup``: the rows of a lookup table (Search Reference: inputlookup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators import lookup_tables
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.operators.windows import numbered
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import SearchExpr
from escudo.spl.syntax.unparse import option, search_text, word


@dataclass(frozen=True)
class InputLookup(Command):
    """``inputlookup [append=] [strict=] [start=] [max=] table [WHERE expr]``."""

    name: ClassVar[str] = "inputlookup"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    table: str
    where: SearchExpr | None = None
    append: bool = False
    strict: bool = False
    start: int = 0
    max: int = 1_000_000_000

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("append", "strict", "start", "max")
        options = args.options(*known)
        table = args.name("the name of a lookup")
        args.options(*known, into=options)
        where = args.condition() if args.accept_word("where") else None
        return cls(
            table,
            where,
            options.boolean("append", False),
            options.boolean("strict", False),
            options.integer("start", 0, least=0),
            options.integer("max", 1_000_000_000, least=0),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "inputlookup"
            + option("append", self.append, False)
            + option("strict", self.strict, False)
            + option("start", self.start, 0)
            + option("max", self.max, 1_000_000_000)
            + f" {word(self.table)}"
            + (f" WHERE {search_text(self.where)}" if self.where is not None else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = lookup_tables.rows_of(self.table, binder, self.span)
        if self.where is not None:
            relation = relation.where(binder.condition(self.where, relation))
        if self.start:
            relation, row = numbered(relation, binder)
            relation = relation.where(exp.GT(this=row, expression=exp.Literal.number(self.start)))
        if self.max < 1_000_000_000:
            relation = relation.limit(self.max)
        if source is None:
            return relation
        if not self.append:
            raise EscudoError(
                "SPL311",
                "'inputlookup' must be the first command",
                span=self.span,
                hint="append=t adds its rows to those of the search",
            )
        return stack_rows([source, relation], binder)
