"""``stats``: one row for each group (Search Reference: stats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads, any_in_common
from escudo.spl.operators.delimiters import remember_delimiter
from escudo.spl.operators.grouping import aggregate_rows, keep_numbers
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_terms_and_options
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    Options,
    boolean_option,
    format_options,
    integer_option,
    text_option,
)


@dataclass(frozen=True)
class Stats(Command):
    """``stats [options] aggregates [BY fields] [options]``.

    A row for each combination of values of the BY fields, in their order. Rows without one of them
    are left out, and a row counts once for each value of a multivalue BY field.

    Differs from Splunk: percentiles are exact.
    """

    name: ClassVar[str] = "stats"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    allnum: bool = boolean_option(
        False, "Whether a field counts only if all its values are numbers."
    )
    delim: str = text_option(" ", "What nomv puts between the values of values() and list().")
    partitions: int | None = integer_option(
        None, "Parts in which Splunk computes them; no effect here."
    )
    dedup_splitvals: bool = boolean_option(
        False, "Whether a value that a BY field has twice counts once; no effect here."
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
        return f"stats{format_options(self)} {terms}{format_by(self.by)}"

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """The groups are the same, if all that they are made by is; what sums them up is not."""
        if not self.by or any_in_common(self.by, partial):
            return None
        return frozenset(a.output for a in self.aggregates)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.allnum:
            relation = keep_numbers(relation, self.aggregates, binder)
        result = aggregate_rows(relation, self.aggregates, by=self.by, binder=binder)
        return remember_delimiter(result, [a.output for a in self.aggregates], self.delim)
