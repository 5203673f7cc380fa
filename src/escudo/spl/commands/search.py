"""``search``: keeps the events that match a search expression (Search Reference: search)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command, SearchExpr
from escudo.spl.unparse import search_text

if TYPE_CHECKING:
    from escudo.spl.bind import Binder, Relation


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
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
