"""``reltime``: how long ago a time was, in words (Search Reference: reltime)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.elapsed import elapsed
from escudo.spl.unparse import option

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Reltime(Command):
    """``reltime [timefield=f] [prefix=s]``; the result is ``[prefix]reltime``."""

    name: ClassVar[str] = "reltime"

    timefield: str = "_time"
    prefix: str = ""

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("timefield", "prefix")
        return cls(options.text("timefield", "_time"), options.text("prefix", ""), span=args.span())

    def format(self) -> str:
        return (
            "reltime"
            + option("timefield", self.timefield, "_time")
            + option("prefix", self.prefix, "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if relation.bound(self.timefield) is None:
            return relation
        value = binder.evaluate(elapsed(self.timefield), relation)
        return relation.extend([(f"{self.prefix}reltime", value)], binder.names)
