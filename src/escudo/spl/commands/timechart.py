"""``timechart``: statistics over time, one series for each value (Search Reference: timechart)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.aggregates import Aggregate
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.charting import time_charted
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
class Timechart(Command):
    """``timechart [options] aggregates [BY field [options] [where ...]]``."""

    name: ClassVar[str] = "timechart"

    aggregates: tuple[Aggregate, ...]
    by: str | None = None
    bins: BinOptions = field(default_factory=BinOptions)
    split_bins: BinOptions = field(default_factory=BinOptions)
    series: SeriesOptions = field(default_factory=SeriesOptions)
    where: SplitWhere | None = None
    partial: bool = True
    cont: bool = True
    fixedrange: bool = True
    dedup_splitvals: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = (
            "partial",
            "cont",
            "fixedrange",
            "dedup_splitvals",
            *SeriesOptions.NAMES,
            *BinOptions.NAMES,
        )
        options = args.options(*known)
        aggregates = parse_series_aggregates(args, options, known, "by")
        by = None
        split_options = options.fresh()
        if args.accept_word("by"):
            by = args.name("a field after BY")
            args.options(*known, into=split_options)
        where = parse_split_where(args)
        args.options(*known, into=options)
        split_bins = BinOptions.read(split_options)
        bins = BinOptions.read(options)
        options.update(split_options)
        return cls(
            aggregates,
            by,
            bins,
            split_bins,
            SeriesOptions.read(options),
            where,
            options.boolean("partial", True),
            options.boolean("cont", True),
            options.boolean("fixedrange", True),
            options.boolean("dedup_splitvals", False),
            span=args.span(),
        )

    def format(self) -> str:
        out = (
            "timechart"
            + self.bins.format()
            + self.series.format()
            + option("partial", self.partial, True)
            + option("cont", self.cont, True)
            + option("fixedrange", self.fixedrange, True)
            + option("dedup_splitvals", self.dedup_splitvals, False)
            + f" {', '.join(a.format() for a in self.aggregates)}"
        )
        if self.by is not None:
            out += f" BY {word(self.by, 'where')}{self.split_bins.format()}"
        return out + (f" {self.where.format()}" if self.where is not None else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return time_charted(rows(source, self), self, binder)
