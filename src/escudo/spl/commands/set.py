"""``set``: union, difference or intersection of two searches (Search Reference: set)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command, Pipeline
from escudo.spl.sets import set_of

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Set(Command):
    """``set union|diff|intersect [search] [search]``."""

    name: ClassVar[str] = "set"
    generating: ClassVar[bool] = True

    operation: str
    left: Pipeline
    right: Pipeline

    @classmethod
    def parse(cls, args: Args) -> Self:
        operation = args.expect_word("union", "diff", "intersect")
        return cls(operation, args.subsearch(), args.subsearch(), span=args.span())

    def format(self) -> str:
        left, right = self.left.format(nested=True), self.right.format(nested=True)
        return f"set {self.operation} [{left}] [{right}]"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None:
            raise EscudoError("SPL311", "'set' must be the first command", span=self.span)
        left, right = (binder.closed(binder.subsearch(p)) for p in (self.left, self.right))
        return set_of(self.operation, left, right, binder)
