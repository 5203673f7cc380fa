"""``search``: keeps the events that match a search expression (Search Reference: search)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command, SearchExpr
from escudo.spl.bounds import time_bounds
from escudo.spl.unparse import search_text

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Search(Command):
    """``search expr``; implied at the start of a search."""

    name: ClassVar[str] = "search"

    expr: SearchExpr

    @classmethod
    def parse(cls, args: Args) -> Self:
        expr = args.search()
        return cls(expr, span=args.span())

    def format(self) -> str:
        return f"search {search_text(self.expr)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is None:
            expr, within = time_bounds(self.expr, binder)
            return binder.read_raw(expr, within)
        return source.where(binder.condition(self.expr, source))
