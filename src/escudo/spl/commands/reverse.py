"""``reverse``: the rows in reverse order (Search Reference: reverse)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.windows import reversed_rows

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Reverse(Command):
    """``reverse``; no arguments."""

    name: ClassVar[str] = "reverse"

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "reverse"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return reversed_rows(rows(source, self), binder)
