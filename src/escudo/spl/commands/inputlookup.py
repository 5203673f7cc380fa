"""``inputlookup``: the rows of a lookup table (Search Reference: inputlookup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.lookup_tables import find_gap, open_lookup
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.operators.windows import number_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_integer, more_than
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import SearchExpr
from escudo.spl.syntax.options import boolean_option, format_options, integer_option
from escudo.spl.syntax.unparse import search_text, word


@dataclass(frozen=True)
class InputLookup(Command):
    """``inputlookup [options] table [WHERE expr]``.

    The rows of the table that the search expression selects; ``start`` and ``max`` count those.

    A table that nobody defines, or whose file is missing, is empty, and the search says so; with
    ``strict`` it is an error. So a search that fills the table that it reads can begin.
    """

    name: ClassVar[str] = "inputlookup"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    table: str
    where: SearchExpr | None = None
    append: bool = boolean_option(False, "Whether the rows come after those of the search so far.")
    strict: bool = boolean_option(False, "Whether a table that is not there is an error.")
    start: int = integer_option(0, "Rows that are left out at the beginning.", least=0)
    max: int | None = integer_option(None, "Rows that are taken at most; all by default.", least=0)

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        table = args.name("the name of a lookup")
        args.read_options(cls, into=options)
        where = args.condition() if args.accept_word("where") else None
        return cls(table=table, where=where, **options.values(cls), span=args.span())

    def format(self) -> str:
        where = f" WHERE {search_text(self.where)}" if self.where is not None else ""
        return f"inputlookup{format_options(self)} {word(self.table)}{where}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if not self.strict and (why := find_gap(self.table, binder)) is not None:
            binder.warn("SPL344", f"{why}; it is taken as empty", self.span)
            relation = binder.anything(())
        else:
            relation = open_lookup(self.table, binder, self.span)
        if self.where is not None:
            relation = relation.where(binder.condition(self.where, relation))
        if self.start:
            relation, row = number_rows(relation, binder)
            relation = relation.where(more_than(row, literal_integer(self.start)))
        if self.max is not None:
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
