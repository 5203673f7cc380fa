"""``mstats``: statistics over metrics (Search Reference: mstats)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.time_bounds import time_bounds
from escudo.spl.commands.chart.series_table import chart_metrics
from escudo.spl.commands.tstats import refuse_prefix
from escudo.spl.lowering.lower_search import TSTATS
from escudo.spl.operators.automatic_spans import choose_time_span
from escudo.spl.operators.grouping import aggregate
from escudo.spl.operators.null_filling import fill_null
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.operators.time_buckets import floor_time
from escudo.spl.relation.relation import Relation, Traits
from escudo.spl.relation.sql import column
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import And, Compare, SearchExpr
from escudo.spl.syntax.lexer import Kind, Token
from escudo.spl.syntax.options import Options, format_options, option_names
from escudo.spl.syntax.series_options import SeriesOptions
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import option, search_text


@dataclass(frozen=True)
class Mstats(Command):
    """``mstats [options] aggregates WHERE expr [BY fields] [span=...]``.

    With ``chart`` the result has the form of ``timechart``, by ``series``.
    """

    name: ClassVar[str] = "mstats"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    aggregates: tuple[Aggregate, ...]
    where: SearchExpr | None = None
    by: tuple[str, ...] = ()
    span_width: BinSpan | None = None
    every: BinSpan | None = None
    prestats: bool = False
    append: bool = False
    backfill: bool = True
    update_period: int = 0
    fillnull_value: str | None = None
    chunk_size: int = 10_000_000
    chart: bool = False
    series: SeriesOptions = field(default_factory=SeriesOptions)

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = (*OPTIONS, *option_names(SeriesOptions))
        options = args.options(*known)
        aggregates: list[Aggregate] = []
        while args.more() and not args.at_word("where", "by", "groupby"):
            if args.at_option() is not None:
                args.options(*known, into=options)
            elif not args.accept(","):
                refuse_prefix(args)
                aggregates.append(parse_aggregate(args))
        if not aggregates:
            args.expected("a statistic such as avg(metric)")
        where = None
        if args.accept_word("where"):
            where = _without_spans(args.condition("by", "groupby"), args, options)
        by: tuple[str, ...] = ()
        args.options(*known, into=options)
        if args.accept_word("by", "groupby"):
            by, options = args.names_and_options(*known, into=options)
        return cls(
            tuple(aggregates),
            where,
            by,
            options.span("span", None),
            options.span("every", None),
            options.boolean("prestats", False),
            options.boolean("append", False),
            options.boolean("backfill", True),
            options.integer("update_period", 0, least=0),
            options.text("fillnull_value", None),
            options.integer("chunk_size", 10_000_000, least=1),
            options.boolean("chart", False),
            options.read(SeriesOptions),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "mstats"
            + option("span", self.span_width.format() if self.span_width else None)
            + option("every", self.every.format() if self.every else None)
            + option("chart", self.chart, False)
            + format_options(self.series)
            + option("prestats", self.prestats, False)
            + option("append", self.append, False)
            + option("backfill", self.backfill, True)
            + option("update_period", self.update_period, 0)
            + option("fillnull_value", self.fillnull_value)
            + option("chunk_size", self.chunk_size, 10_000_000)
            + f" {', '.join(a.format() for a in self.aggregates)}"
            + (f" WHERE {search_text(self.where)}" if self.where is not None else "")
            + format_by(self.by)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        expr, within = time_bounds(self.where or And(()), binder)
        events = binder.read_raw(expr, within, TSTATS)
        by = self.by
        given: dict[str, Bound] = {}
        time = events.bound("_time")
        if (self.span_width is not None or self.chart) and time is not None:
            span = self.span_width or choose_time_span(events, binder.during(within))
            bucket = binder.names.fresh("_time")
            events = events.hide([(bucket, floor_time(column(time.ident), span))])
            given["_time"] = Bound(bucket, FieldType.TIME)
            by = by if "_time" in by else ("_time", *by)
        if self.fillnull_value is not None:
            filled = [
                (n, fill_null(events.field(n), self.fillnull_value)) for n in by if n != "_time"
            ]
            events = events.extend(filled, binder.names)
        if self.prestats:
            events = events.with_fields({**events.fields, **given})
            both = events if source is None else stack_rows([source, events], binder, ordered=False)
            return replace(both, traits=Traits(prestats=True))
        found = aggregate(events, self.aggregates, by, binder, given)
        if self.chart:
            found = chart_metrics(found, self.aggregates, by, self.series, binder)
        return found if source is None else stack_rows([source, found], binder)


OPTIONS = (
    "chart",
    "prestats",
    "append",
    "backfill",
    "update_period",
    "fillnull_value",
    "chunk_size",
    "span",
    "every",
)


def _without_spans(expr: SearchExpr, args: Args, options: Options) -> SearchExpr:
    """The WHERE without ``span=`` and ``every=``, which may follow it without a BY between."""
    operands = expr.operands if isinstance(expr, And) else (expr,)
    kept: list[SearchExpr] = []
    for operand in operands:
        if isinstance(operand, Compare) and operand.field_name in ("span", "every"):
            value = operand.value.text
            options.put(
                operand.field_name, Token(Kind.WORD, value, args.position - 1, args.position)
            )
        else:
            kept.append(operand)
    if len(kept) == len(operands):
        return expr
    return kept[0] if len(kept) == 1 else And(tuple(kept), span=expr.span)
