"""``mstats``: statistics over metrics (Search Reference: mstats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder
from escudo.spl.binding.time_bounds import time_bounds
from escudo.spl.commands.chart.series_table import chart_metrics
from escudo.spl.commands.tstats import IndexStatistics, cut_time
from escudo.spl.lowering.lower_search import TSTATS
from escudo.spl.operators.grouping import aggregate_rows
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import And, Compare, SearchExpr
from escudo.spl.syntax.lexer import Kind, Token
from escudo.spl.syntax.options import (
    Options,
    boolean_option,
    integer_option,
    option_group,
    span_option,
)
from escudo.spl.syntax.series_options import SeriesOptions
from escudo.spl.syntax.spans import BinSpan


@dataclass(frozen=True)
class Mstats(IndexStatistics):
    """``mstats [options] aggregates WHERE expr [BY fields] [span=...]``.

    With ``chart`` the result has the form of ``timechart``, a series for each value of the BY
    field.

    Differs from Splunk: metrics are events with a field for each metric.

    Refused: ``every`` other than ``span``.
    """

    name: ClassVar[str] = "mstats"

    span_width: BinSpan | None = span_option(
        None, "The width of the buckets of `_time`; without it there are none.", name="span"
    )
    every: BinSpan | None = span_option(None, "How far the buckets are apart; as wide as they are.")
    chart: bool = boolean_option(False, "Whether the result is a chart over time.")
    series: SeriesOptions = option_group(SeriesOptions)
    backfill: bool = boolean_option(
        True, "Whether a real-time search begins with earlier events; no effect here."
    )
    update_period: int = integer_option(
        0, "Milliseconds between updates of a real-time search; no effect here.", least=0
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        aggregates = cls.read_aggregates(args, options, "where", "by", "groupby")
        where = None
        if args.accept_word("where"):
            where = _take_spans(args.condition("by", "groupby"), args, options)
        by: tuple[str, ...] = ()
        args.read_options(cls, into=options)
        if args.accept_word("by", "groupby"):
            by, options = args.read_names_and_options(cls, into=options)
        return cls(
            aggregates=aggregates, where=where, by=by, **options.values(cls), span=args.span()
        )

    def format(self) -> str:
        return self.format_clauses()

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None and not self.append:
            raise EscudoError(
                "SPL311",
                "'mstats' must be the first command",
                span=self.span,
                hint="append=t adds its rows to those so far",
            )
        if self.every is not None and self.every != self.span_width:
            raise EscudoError(
                "SPL301",
                "mstats every= with another width than span= is not supported",
                span=self.span,
                hint="leave every= out: the buckets then follow each other",
            )
        expr, within = time_bounds(self.where or And(()), binder)
        events = binder.read_raw(expr, within, TSTATS)
        by = self.by
        given: dict[str, Bound] = {}
        time = events.bound("_time")
        if (self.span_width is not None or self.chart) and time is not None:
            events, given = cut_time(
                events, time, span=self.span_width, binder=binder.during(within)
            )
            by = by if "_time" in by else ("_time", *by)
        events = self.fill_keys(events, by, binder)
        if self.prestats:
            return self.keep_events(source, events, given=given, binder=binder)
        result = aggregate_rows(events, self.aggregates, by=by, binder=binder, given=given)
        if self.chart:
            result = chart_metrics(
                result, self.aggregates, by=by, options=self.series, binder=binder
            )
        return result if source is None else stack_rows([source, result], binder)


def _take_spans(expr: SearchExpr, args: Args, options: Options) -> SearchExpr:
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
