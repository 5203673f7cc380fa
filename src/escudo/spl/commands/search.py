"""``search``: keeps the events that match a search expression (Search Reference: search)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.time_bounds import time_bounds
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import SearchExpr
from escudo.spl.syntax.unparse import search_text


@dataclass(frozen=True)
class Search(Command):
    """``search expr``.

    The events that match; the word may be left out at the start of a search. Values compare without
    regard to case, and ``*`` stands for any text.
    """

    name: ClassVar[str] = "search"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, filters=True)

    expr: SearchExpr

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(expr=args.search(), span=args.span())

    def format(self) -> str:
        return f"search {search_text(self.expr)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is None:
            expr, within = time_bounds(self.expr, binder)
            return binder.read_raw(expr, within)
        return source.where(binder.condition(self.expr, source))
