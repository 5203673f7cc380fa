"""``timechart``: statistics over time, one series for each value (Search Reference: timechart)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.batch.series_selection import (
    filled_chart,
)
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.commands.chart.series_table import (
    ZERO_WHERE_EMPTY,
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
from escudo.spl.syntax.spans import SECONDS
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Timechart(Command):
    """``timechart [options] aggregates [BY field [options] [where ...]]``."""

    name: ClassVar[str] = "timechart"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    aggregates: tuple[Aggregate, ...]
    by: str | None = None
    bins: BinOptions = option_group(BinOptions)
    split_bins: BinOptions = option_group(BinOptions, apart=True)
    series: SeriesOptions = option_group(SeriesOptions)
    where: SplitWhere | None = None
    partial: bool = boolean_option(True, "Whether buckets that are cut off are shown.")
    cont: bool = boolean_option(True, "Whether gaps between the buckets are filled.")
    fixedrange: bool = boolean_option(
        True, "Whether buckets are made for all of the search's time range."
    )
    dedup_splitvals: bool = boolean_option(
        False, "Whether a value that an event has twice counts once."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        aggregates = parse_series_aggregates(args, options, (cls,), "by")
        by = None
        split_options = options.fresh()
        if args.accept_word("by"):
            by = args.name("a field after BY")
            args.read_options(cls, into=split_options)
        where = parse_split_where(args)
        args.read_options(cls, into=options)
        bins, split_bins = options.read(BinOptions), split_options.read(BinOptions)
        options.update(split_options)
        arguments = {**options.values(cls), "bins": bins, "split_bins": split_bins}
        return cls(aggregates=aggregates, by=by, where=where, **arguments, span=args.span())

    def format(self) -> str:
        out = f"timechart{format_options(self)} {', '.join(a.format() for a in self.aggregates)}"
        if self.by is not None:
            out += f" BY {word(self.by, 'where')}{format_options(self.split_bins)}"
        return out + (f" {self.where.format()}" if self.where is not None else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return build_timechart(rows(source, self), self, binder)


def build_timechart(relation: Relation, command: Timechart, binder: Binder) -> Relation:
    """A row for each bucket of time, without gaps; a column for each series."""
    relation = make_time_numeric(relation, binder)
    time = relation.bound("_time")
    if time is None:
        raise EscudoError("SPL105", "timechart needs _time", span=command.span)
    span = choose_time_span(relation, binder, command.bins)
    bucket = binder.names.fresh("_time")
    cut = relation.hide(
        [(bucket, time_buckets.floor_time(column(time.ident), span, zone=binder.zone))]
    )
    given = {"_time": Bound(bucket, FieldType.TIME)}
    width = span.size * SECONDS.get(span.unit or "s", 2592000.0)
    aggregates = [_per_unit(a, width) for a in command.aggregates]
    limits = _limits(command, binder)
    if command.by is None:
        found = compute_statistics(cut, aggregates, ("_time",), binder, given)
    else:
        cut = cut_into_ranges(cut, command.by, command.split_bins, binder)
        found = build_series(
            cut, aggregates, "_time", command.by, command.series, command.where, binder, given
        )
    if not command.cont:
        return found
    zero = {a.output for a in aggregates if a.function in ZERO_WHERE_EMPTY}
    every = command.by is not None and len(aggregates) == 1 and bool(zero)
    return binder.batch(
        found,
        "the buckets of timechart",
        lambda table: filled_chart(table, span, limits, zero, every_series=every, zone=binder.zone),
        kinds={"_time": FieldType.TIME},
    )


def _per_unit(term: Aggregate, width: float) -> Aggregate:
    """``per_hour(x)`` and kin are scaled by the width of a bucket."""
    scaled = term.function.startswith("per_")
    return replace(term, parameter=width) if scaled else term


def _limits(command: Timechart, binder: Binder) -> tuple[float | None, float | None]:
    """The first and last time that buckets are made for."""
    within = binder.within
    if command.fixedrange and within.earliest is not None and within.latest is not None:
        return within.earliest, within.latest - 1e-6
    return None, None
