"""``chart``: statistics as a table of series (Search Reference: chart)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.commands.chart.series_table import (
    build_series,
    compute_statistics,
    cut_into_ranges,
)
from escudo.spl.operators import time_buckets
from escudo.spl.operators.automatic_spans import choose_time_span
from escudo.spl.operators.numeric_time import make_time_numeric
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import column
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import boolean_option, format_options, option_group
from escudo.spl.syntax.series_options import (
    BinOptions,
    SeriesOptions,
    SplitWhere,
    parse_series_aggregates,
    parse_split_where,
)
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Chart(Command):
    """``chart [options] aggregates [OVER row] [BY row-or-column [column]]``.

    ``row`` gives the rows (None: one row), ``column`` the series; ``row_bins`` and ``column_bins``
    put their values into ranges.
    """

    name: ClassVar[str] = "chart"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    aggregates: tuple[Aggregate, ...]
    row: str | None = None
    column: str | None = None
    row_bins: BinOptions = option_group(BinOptions, apart=True)
    column_bins: BinOptions = option_group(BinOptions, apart=True)
    series: SeriesOptions = option_group(SeriesOptions)
    where: SplitWhere | None = None
    cont: bool = boolean_option(True, "Whether gaps between the rows are filled.")
    dedup_splitvals: bool = boolean_option(
        False, "Whether a value that an event has twice counts once."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        aggregates = parse_series_aggregates(args, options, (cls,), "over", "by")
        row = column = None
        row_options, column_options = options.fresh(), options.fresh()
        if args.accept_word("over"):
            row = args.name("a field after OVER")
            args.read_options(cls, BinOptions, into=row_options)
        if args.accept_word("by"):
            first = args.name("a field after BY")
            if row is None:
                row = first
                args.read_options(cls, BinOptions, into=row_options)
                args.accept(",")
                if args.more() and not args.at_word("where"):
                    column = args.name("a field")
            else:
                column = first
            if column is not None:
                args.read_options(cls, BinOptions, into=column_options)
        where = parse_split_where(args)
        args.read_options(cls, into=options)
        options.update(row_options)
        options.update(column_options)
        return cls(
            aggregates=aggregates,
            row=row,
            column=column,
            row_bins=row_options.read(BinOptions),
            column_bins=column_options.read(BinOptions),
            where=where,
            **options.values(cls),
            span=args.span(),
        )

    def format(self) -> str:
        out = f"chart{format_options(self)} {', '.join(a.format() for a in self.aggregates)}"
        if self.row is not None:
            out += f" OVER {word(self.row)}{format_options(self.row_bins)}"
        if self.column is not None:
            out += f" BY {word(self.column, 'where')}{format_options(self.column_bins)}"
        return out + (f" {self.where.format()}" if self.where is not None else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return build_chart(rows(source, self), self, binder)


def build_chart(relation: Relation, command: Chart, binder: Binder) -> Relation:
    """A row for each value of the row field, a column for each value of the column field."""
    row = command.row
    if row == "_time":
        relation = make_time_numeric(relation, binder)
    given: dict[str, Bound] = {}
    if row is not None:
        relation, given = _binned(relation, row, command.row_bins, binder)
    by = () if row is None else (row,)
    if command.column is None:
        return compute_statistics(relation, command.aggregates, by, binder, given)
    relation = cut_into_ranges(relation, command.column, command.column_bins, binder)
    options = command.series
    return build_series(
        relation, command.aggregates, row, command.column, options, command.where, binder, given
    )


def _binned(
    relation: Relation, name: str, options: BinOptions, binder: Binder
) -> tuple[Relation, dict[str, Bound]]:
    bound = relation.bound(name)
    if bound is None or options == BinOptions():
        if bound is not None and name == "_time":
            return _bucketed(relation, bound, choose_time_span(relation, binder), binder)
        return relation, {}
    if bound.type is FieldType.TIME or name == "_time":
        return _bucketed(relation, bound, choose_time_span(relation, binder, options), binder)
    return cut_into_ranges(relation, name, options, binder), {}


def _bucketed(
    relation: Relation, bound: Bound, span: BinSpan, binder: Binder
) -> tuple[Relation, dict[str, Bound]]:
    bucket = binder.names.fresh("_time")
    cut = relation.hide(
        [(bucket, time_buckets.floor_time(column(bound.ident), span, zone=binder.zone))]
    )
    return cut, {"_time": Bound(bucket, FieldType.TIME)}
