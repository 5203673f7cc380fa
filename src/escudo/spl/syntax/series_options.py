"""What ``chart``, ``timechart`` and ``mstats chart=t`` share: series, buckets, aggregates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from escudo.spl.syntax.aggregate_terms import Aggregate, parse_aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import (
    Options,
    OptionType,
    boolean_option,
    integer_option,
    number_option,
    span_option,
    text_option,
    typed_option,
)
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import eval_text


@dataclass(frozen=True)
class BinOptions(Node):
    """How values are put into ranges (Search Reference: bin)."""

    span_width: BinSpan | None = span_option(None, "The width of a range.", name="span")
    bins: int | None = integer_option(None, "Ranges that are made at most.", least=2)
    minspan: BinSpan | None = span_option(None, "The least width, where it is chosen.")
    start: float | None = number_option(None, "Where the ranges begin at the latest.")
    end: float | None = number_option(None, "Where the ranges end at the earliest.")
    aligntime: str | None = text_option(None, "The time to which the ranges are aligned.")


NO_BINS = BinOptions()


@dataclass(frozen=True)
class SeriesLimit(Node):
    """How many series are kept (0: all): the top ones or, with ``bottom``, the last ones."""

    count: int = 10
    bottom: bool = False


def _parse_limit(text: str) -> SeriesLimit:
    lower = text.lower()
    digits = lower.removeprefix("top").removeprefix("bottom")
    if not digits.isdigit():
        raise ValueError
    return SeriesLimit(int(digits), lower.startswith("bottom"))


_LIMIT = OptionType[SeriesLimit](
    "N, topN or bottomN", _parse_limit, lambda v: f"{'bottom' if v.bottom else ''}{v.count}"
)
_TOP_TEN = SeriesLimit()


@dataclass(frozen=True)
class SeriesOptions(Node):
    """Which series are shown, and how they are named."""

    limit: SeriesLimit = typed_option(
        _LIMIT, _TOP_TEN, "Series that are kept, by their score; 0 keeps all."
    )
    agg: str | None = text_option(None, "The statistic that scores a series; the sum by default.")
    sep: str = text_option(": ", "What stands between statistic and value in a series' name.")
    series_format: str | None = text_option(
        None, "The name of a series, of `$AGG$`, `$SEP$` and `$VAL$`.", name="format"
    )
    usenull: bool = boolean_option(True, "Whether events without the split field are a series.")
    useother: bool = boolean_option(True, "Whether the series beyond the limit are one.")
    nullstr: str = text_option("NULL", "The name of the series of events without the field.")
    otherstr: str = text_option("OTHER", "The name of the series of all others.")


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
    args: Args, options: Options, kinds: Sequence[type], *stops: str
) -> tuple[Aggregate, ...]:
    """Read statistics and options up to one of the words ``stops``; ``(e)`` is ``eval(e)``."""
    out: list[Aggregate] = []
    while args.more() and not args.at_word(*stops, "where"):
        if args.at_option() is not None:
            args.read_options(*kinds, into=options)
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
