"""``mstats``: statistics over metrics (Search Reference: mstats)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.aggregates import Aggregate, format_by, parse_aggregate
from escudo.spl.args import Args
from escudo.spl.ast import Command, SearchExpr
from escudo.spl.commands.tstats import refuse_prefix
from escudo.spl.series import SeriesOptions
from escudo.spl.spans import BinSpan
from escudo.spl.unparse import option, search_text

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Mstats(Command):
    """``mstats [options] aggregates WHERE expr [BY fields] [span=...]``.

    With ``chart`` the result has the form of ``timechart``, by ``series``.
    """

    name: ClassVar[str] = "mstats"
    generating: ClassVar[bool] = True

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
        known = (*OPTIONS, *SeriesOptions.NAMES)
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
            where = args.search("by", "groupby", "span", "every")
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
            SeriesOptions.read(options),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "mstats"
            + option("chart", self.chart, False)
            + self.series.format()
            + option("prestats", self.prestats, False)
            + option("append", self.append, False)
            + option("backfill", self.backfill, True)
            + option("update_period", self.update_period, 0)
            + option("fillnull_value", self.fillnull_value)
            + option("chunk_size", self.chunk_size, 10_000_000)
            + f" {', '.join(a.format() for a in self.aggregates)}"
            + (f" WHERE {search_text(self.where)}" if self.where is not None else "")
            + format_by(self.by)
            + option("span", self.span_width.format() if self.span_width else None)
            + option("every", self.every.format() if self.every else None)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)


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
