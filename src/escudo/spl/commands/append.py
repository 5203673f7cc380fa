"""``append``: the rows of a subsearch after those of the search (Search Reference: append)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class Append(Command):
    """``append [options] [subsearch]``."""

    name: ClassVar[str] = "append"

    subsearch: Pipeline
    extendtimerange: bool = False
    maxtime: int = 60
    maxout: int = 50_000
    timeout: int = 60

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("extendtimerange", "maxtime", "maxout", "timeout")
        return cls(
            args.subsearch(),
            options.boolean("extendtimerange", False),
            options.integer("maxtime", 60),
            options.integer("maxout", 50_000),
            options.integer("timeout", 60),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "append"
            + option("extendtimerange", self.extendtimerange, False)
            + option("maxtime", self.maxtime, 60)
            + option("maxout", self.maxout, 50_000)
            + option("timeout", self.timeout, 60)
            + f" [{self.subsearch.format(nested=True)}]"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        added = binder.limited_subsearch(self.subsearch, self.maxout, self, limit_option="maxout")
        return added if source is None else stack_rows([source, added], binder)
