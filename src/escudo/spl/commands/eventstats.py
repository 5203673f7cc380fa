"""``eventstats``: adds statistics of its group to each row (Search Reference: eventstats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.grouping import keep_numbers
from escudo.spl.operators.windowed_statistics import add_statistics
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_terms_and_options
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import Options, boolean_option, format_options


@dataclass(frozen=True)
class EventStats(Command):
    """``eventstats [allnum=bool] aggregates [BY fields]``.

    Each row gets the statistics of its group; a row in which a BY field is null gets none.
    """

    name: ClassVar[str] = "eventstats"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    allnum: bool = boolean_option(
        False, "Whether a field counts only if all its values are numbers."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = Options(args.source)
        aggregates = parse_terms_and_options(args, options, (cls,), "by")
        by: tuple[str, ...] = ()
        if args.accept_word("by"):
            by, options = args.read_names_and_options(cls, into=options)
            if not by:
                args.expected("a field")
        return cls(aggregates=aggregates, by=by, **options.values(cls), span=args.span())

    def format(self) -> str:
        terms = ", ".join(a.format() for a in self.aggregates)
        return f"eventstats{format_options(self)} {terms}{format_by(self.by)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.allnum:
            relation = keep_numbers(relation, self.aggregates, binder)
        return add_statistics(relation, self.aggregates, self.by, binder)
