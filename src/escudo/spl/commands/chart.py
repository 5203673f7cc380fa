"""``chart``: statistics as a table of series (Search Reference: chart)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.aggregates import Aggregate
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.charting import charted
from escudo.spl.series import (
    BinOptions,
    SeriesOptions,
    SplitWhere,
    parse_series_aggregates,
    parse_split_where,
)
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Chart(Command):
    """``chart [options] aggregates [OVER row] [BY row-or-column [column]]``.

    ``row`` gives the rows (None: one row), ``column`` the series; ``row_bins`` and ``column_bins``
    put their values into ranges.
    """

    name: ClassVar[str] = "chart"

    aggregates: tuple[Aggregate, ...]
    row: str | None = None
    column: str | None = None
    row_bins: BinOptions = field(default_factory=BinOptions)
    column_bins: BinOptions = field(default_factory=BinOptions)
    series: SeriesOptions = field(default_factory=SeriesOptions)
    where: SplitWhere | None = None
    cont: bool = True
    dedup_splitvals: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("cont", "dedup_splitvals", *SeriesOptions.NAMES)
        options = args.options(*known)
        aggregates = parse_series_aggregates(args, options, known, "over", "by")
        row = column = None
        row_options, column_options = options.fresh(), options.fresh()
        if args.accept_word("over"):
            row = args.name("a field after OVER")
            args.options(*known, *BinOptions.NAMES, into=row_options)
        if args.accept_word("by"):
            first = args.name("a field after BY")
            if row is None:
                row = first
                args.options(*known, *BinOptions.NAMES, into=row_options)
                args.accept(",")
                if args.more() and not args.at_word("where"):
                    column = args.name("a field")
            else:
                column = first
            if column is not None:
                args.options(*known, *BinOptions.NAMES, into=column_options)
        where = parse_split_where(args)
        args.options(*known, into=options)
        options.update(row_options)
        options.update(column_options)
        return cls(
            aggregates,
            row,
            column,
            BinOptions.read(row_options),
            BinOptions.read(column_options),
            SeriesOptions.read(options),
            where,
            options.boolean("cont", True),
            options.boolean("dedup_splitvals", False),
            span=args.span(),
        )

    def format(self) -> str:
        out = (
            "chart"
            + self.series.format()
            + option("cont", self.cont, True)
            + option("dedup_splitvals", self.dedup_splitvals, False)
            + f" {', '.join(a.format() for a in self.aggregates)}"
        )
        if self.row is not None:
            out += f" OVER {word(self.row)}{self.row_bins.format()}"
        if self.column is not None:
            out += f" BY {word(self.column, 'where')}{self.column_bins.format()}"
        return out + (f" {self.where.format()}" if self.where is not None else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return charted(rows(source, self), self, binder)
