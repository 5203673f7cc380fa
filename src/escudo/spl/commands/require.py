"""``require``: the search fails where there are no rows (Search Reference: require)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args


@dataclass(frozen=True)
class Require(Command):
    """``require``.

    The rows as they are; the search, or the subsearch that it stands in, is an error (SPL325)
    where there are none.
    """

    name: ClassVar[str] = "require"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "require"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if binder.runner is None:
            binder.deferred.append("whether there are rows")
        elif not binder.count(relation, 1):
            raise EscudoError("SPL325", "there are no rows before 'require'", span=self.span)
        return relation
