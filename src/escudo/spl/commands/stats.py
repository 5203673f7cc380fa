"""``stats``: one row for each group (Search Reference: stats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.delimiters import with_delimiter
from escudo.spl.operators.grouping import aggregate, only_numbers
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_aggregates
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class Stats(Command):
    """``stats aggregates BY fields``."""

    name: ClassVar[str] = "stats"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    allnum: bool = False
    delim: str = " "
    partitions: int | None = None
    dedup_splitvals: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("allnum", "delim", "partitions", "dedup_splitvals")
        options = args.options(*known)
        aggregates = parse_aggregates(args, "by")
        if not aggregates:
            args.expected("a statistic such as count")
        by = args.names(*known) if args.accept_word("by") else ()
        args.options(*known, into=options)
        return cls(
            aggregates,
            by,
            options.boolean("allnum", False),
            options.text("delim", " "),
            options.integer("partitions", None),
            options.boolean("dedup_splitvals", False),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "stats"
            + option("allnum", self.allnum, False)
            + option("delim", self.delim, " ")
            + option("partitions", self.partitions)
            + option("dedup_splitvals", self.dedup_splitvals, False)
            + f" {', '.join(a.format() for a in self.aggregates)}{format_by(self.by)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.allnum:
            relation = only_numbers(relation, self.aggregates, binder)
        result = aggregate(relation, self.aggregates, self.by, binder)
        return with_delimiter(result, [a.output for a in self.aggregates], self.delim)
