"""``eventstats``: adds statistics of its group to each row (Search Reference: eventstats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.aggregates import Aggregate, format_by, parse_aggregates
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.grouping import only_numbers
from escudo.spl.running import add_statistics
from escudo.spl.unparse import option

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class EventStats(Command):
    """``eventstats aggregates BY fields``."""

    name: ClassVar[str] = "eventstats"

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    allnum: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("allnum")
        aggregates = parse_aggregates(args, "by")
        if not aggregates:
            args.expected("a statistic such as count")
        by = args.names() if args.accept_word("by") else ()
        return cls(aggregates, by, options.boolean("allnum", False), span=args.span())

    def format(self) -> str:
        return (
            "eventstats"
            + option("allnum", self.allnum, False)
            + f" {', '.join(a.format() for a in self.aggregates)}{format_by(self.by)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.allnum:
            relation = only_numbers(relation, self.aggregates, binder)
        return add_statistics(relation, self.aggregates, self.by, binder)
