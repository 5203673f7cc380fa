"""What ``chart``, ``timechart`` and ``mstats chart=t`` share: series, buckets, aggregates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.syntax.aggregate_terms import Aggregate, parse_aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import Options
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import eval_text, option


@dataclass(frozen=True)
class BinOptions(Node):
    """How values are put into ranges (Search Reference: bin)."""

    NAMES: ClassVar[tuple[str, ...]] = ("span", "bins", "minspan", "start", "end", "aligntime")

    span_width: BinSpan | None = None
    bins: int | None = None
    minspan: BinSpan | None = None
    start: float | None = None
    end: float | None = None
    aligntime: str | None = None

    @classmethod
    def read(cls, options: Options) -> Self:
        """Out of the options that a command was given."""
        return cls(
            options.span("span", None),
            options.integer("bins", None, least=2),
            options.span("minspan", None),
            options.number("start", None),
            options.number("end", None),
            options.text("aligntime", None),
        )

    def format(self) -> str:
        """As options, with a leading blank."""
        return (
            option("span", self.span_width.format() if self.span_width else None)
            + option("bins", self.bins)
            + option("minspan", self.minspan.format() if self.minspan else None)
            + option("start", self.start)
            + option("end", self.end)
            + option("aligntime", self.aligntime)
        )


NO_BINS = BinOptions()


@dataclass(frozen=True)
class SeriesOptions(Node):
    """Which series are shown, and how they are named.

    ``limit`` series are kept (0: all), the top ones or, with ``bottom``, the last ones, by the
    score ``agg`` (the sum where it is None).
    """

    NAMES: ClassVar[tuple[str, ...]] = (
        "limit",
        "agg",
        "sep",
        "format",
        "usenull",
        "useother",
        "nullstr",
        "otherstr",
    )

    limit: int = 10
    bottom: bool = False
    agg: str | None = None
    sep: str = ": "
    series_format: str | None = None
    usenull: bool = True
    useother: bool = True
    nullstr: str = "NULL"
    otherstr: str = "OTHER"

    @classmethod
    def read(cls, options: Options) -> Self:
        """Out of the options that a command was given."""
        text = options.text("limit", "10").lower()
        digits = text.removeprefix("top").removeprefix("bottom")
        if not digits.isdigit():
            options.fail("limit", f"option 'limit' takes N, topN or bottomN, not '{text}'")
        return cls(
            int(digits),
            text.startswith("bottom"),
            options.text("agg", None),
            options.text("sep", ": "),
            options.text("format", None),
            options.boolean("usenull", True),
            options.boolean("useother", True),
            options.text("nullstr", "NULL"),
            options.text("otherstr", "OTHER"),
        )

    def format(self) -> str:
        """As options, with a leading blank."""
        limit = f"{'bottom' if self.bottom else ''}{self.limit}"
        return (
            option("limit", limit, "10")
            + option("agg", self.agg)
            + option("sep", self.sep, ": ")
            + option("format", self.series_format)
            + option("usenull", self.usenull, True)
            + option("useother", self.useother, True)
            + option("nullstr", self.nullstr, "NULL")
            + option("otherstr", self.otherstr, "OTHER")
        )


@dataclass(frozen=True)
class SplitWhere(Node):
    """``where sum in top5``, ``where max > 10``: which series to show.

    ``op`` is ``in`` or ``notin`` with ``rank`` ``top`` or ``bottom`` and a count, or a comparison.
    """

    aggregate: Aggregate
    op: str
    number: float
    rank: str | None = None

    def format(self) -> str:
        """As it is written."""
        value = f"{self.number:.15g}"
        if self.rank is not None:
            return f"where {self.aggregate.format()} {self.op} {self.rank}{value}"
        return f"where {self.aggregate.format()} {self.op} {value}"


def parse_split_where(args: Args) -> SplitWhere | None:
    """Read ``where ...`` if it is next."""
    token = args.peek()
    if not args.accept_word("where"):
        return None
    aggregate = _score(args)
    if args.at("<", ">", "<=", ">=", "=", "!="):
        op = args.next().text
        return SplitWhere(aggregate, op, _number(args), span=args.span(token.start))
    op = args.expect_word("in", "notin")
    rank_token = args.peek()
    text = args.name("topN or bottomN").lower()
    rank = "bottom" if text.startswith("bottom") else "top"
    digits = text.removeprefix(rank)
    if not text.startswith(rank) or not digits.isdigit():
        args.fail(f"expected topN or bottomN, found '{text}'", rank_token)
    return SplitWhere(aggregate, op, float(digits), rank, span=args.span(token.start))


def _score(args: Args) -> Aggregate:
    """The statistic a series is judged by: ``sum`` alone, or ``avg(field)``."""
    token = args.peek()
    if token.kind is Kind.WORD and not args.source.text.startswith("(", token.end):
        args.next()
        return Aggregate(token.text.lower(), label=token.text, span=args.span(token.start))
    return parse_aggregate(args)


def _number(args: Args) -> float:
    token = args.value("a number")
    try:
        return float(token.text)
    except ValueError:
        args.fail(f"expected a number, found '{token.text}'", token)


def parse_series_aggregates(
    args: Args, options: Options, known: Sequence[str], *stops: str
) -> tuple[Aggregate, ...]:
    """Read statistics and options up to one of the words ``stops``; ``(e)`` is ``eval(e)``."""
    out: list[Aggregate] = []
    while args.more() and not args.at_word(*stops, "where"):
        if args.at_option() is not None:
            args.options(*known, into=options)
        elif args.at("("):
            out.append(_parenthesised(args))
        elif not args.accept(","):
            out.append(parse_aggregate(args))
    if not out:
        args.expected("a statistic such as count")
    return tuple(out)


def _parenthesised(args: Args) -> Aggregate:
    start = args.peek().start
    args.expect("(")
    expr = args.eval()
    args.expect(")")
    alias = args.name("a name after AS") if args.accept_word("as") else None
    label = "" if alias is not None else f"eval({eval_text(expr)})"
    return Aggregate("eval", expr=expr, alias=alias, label=label, span=args.span(start))
