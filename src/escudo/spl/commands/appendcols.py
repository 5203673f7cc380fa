"""``appendcols``: the fields of a subsearch, row by row (Search Reference: appendcols)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.row_matching import zip_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class AppendCols(Command):
    """``appendcols [override=bool] [options] [subsearch]``."""

    name: ClassVar[str] = "appendcols"

    subsearch: Pipeline
    override: bool = False
    maxtime: int = 60
    maxout: int = 50_000
    timeout: int = 60

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("override", "maxtime", "maxout", "timeout")
        return cls(
            args.subsearch(),
            options.boolean("override", False),
            options.integer("maxtime", 60),
            options.integer("maxout", 50_000),
            options.integer("timeout", 60),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "appendcols"
            + option("override", self.override, False)
            + option("maxtime", self.maxtime, 60)
            + option("maxout", self.maxout, 50_000)
            + option("timeout", self.timeout, 60)
            + f" [{self.subsearch.format(nested=True)}]"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        added = binder.closed(
            binder.limited_subsearch(self.subsearch, self.maxout, self, limit_option="maxout")
        )
        return zip_rows(relation, added, self.override, binder)
