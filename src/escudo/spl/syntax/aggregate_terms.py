"""The aggregation terms of ``stats`` and its kin: ``count``, ``dc(user) AS users``, ``p95(x)``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr, Node
from escudo.spl.syntax.lexer import Kind, squeeze_blanks
from escudo.spl.syntax.options import Options
from escudo.spl.syntax.spans import BinSpan, parse_span
from escudo.spl.syntax.unparse import eval_text, word

_SYNONYMS = {"c": "count", "distinct_count": "dc", "mean": "avg", "p": "perc"}
_PERCENTILE = re.compile(r"(p|perc|exactperc|upperperc)(\d+(?:\.\d+)?)\Z")


@dataclass(frozen=True)
class Aggregate(Node):
    """One statistic.

    ``function`` is its lower-case name, synonyms resolved (``c`` -> ``count``), without the number
    of a percentile, which is ``parameter``. The argument is a ``field`` (perhaps with ``*``) or
    ``expr``, the inside of ``eval(...)``; ``count`` may have neither. ``label`` is the term as the
    user wrote it, the name of the result where there is no ``alias``.

    ``sparkline(inner, span)`` has ``inner``; ``eval(round(avg(x)))`` of chart and timechart is
    function ``eval``, whose expr calls statistical functions.
    """

    function: str
    field: str | None = None
    expr: EvalExpr | None = None
    parameter: float | None = None
    alias: str | None = None
    label: str = ""
    inner: Aggregate | None = None
    span_width: BinSpan | None = None

    @property
    def output(self) -> str:
        """The name of the result."""
        return self.alias or self.label

    def format(self) -> str:
        """As it is written."""
        if self.alias is None:
            return self.label
        return f"{self.canonical()} AS {word(self.alias)}"

    def canonical(self) -> str:
        """The term without its alias."""
        name = self.function
        if self.parameter is not None:
            name += f"{self.parameter:.15g}"
        if self.inner is not None:
            width = f", {self.span_width.format()}" if self.span_width else ""
            return f"{name}({self.inner.canonical()}{width})"
        if self.expr is not None:
            inner = f"eval({eval_text(self.expr)})"
            return inner if name == "eval" else f"{name}({inner})"
        return name if self.field is None else f"{name}({word(self.field)})"


def parse_aggregate(args: Args) -> Aggregate:
    """Read one term with its alias."""
    start = args.peek().start
    bare = _term(args)
    label = squeeze_blanks(args.source.text[start : args.position])
    alias = args.name("a name after AS") if args.accept_word("as") else None
    return Aggregate(
        bare.function,
        bare.field,
        bare.expr,
        bare.parameter,
        alias,
        label if alias is None else "",
        bare.inner,
        bare.span_width,
        span=args.span(start),
    )


def _term(args: Args) -> Aggregate:
    token = args.peek()
    if token.kind is not Kind.WORD:
        args.expected("a statistical function")
    args.position = token.end
    lower = token.text.lower()
    percentile = _PERCENTILE.match(lower)
    name = percentile[1] if percentile else lower
    name = _SYNONYMS.get(name, name)
    parameter = float(percentile[2]) if percentile else None
    if not args.at("("):
        if name == "sparkline":
            return Aggregate(name, inner=Aggregate("count"))
        if name != "count":
            args.fail(
                f"'{token.text}' is not followed by '(field)'",
                token,
                hint="a statistic is written function(field); only count and sparkline stand alone",
            )
        return Aggregate(name)
    args.expect("(")
    if name == "eval":
        expr = args.eval()
        args.expect(")")
        return Aggregate(name, expr=expr)
    if name == "sparkline":
        return _sparkline(args)
    if args.accept(")"):
        return Aggregate(name, parameter=parameter)
    if args.at_word("eval"):
        before = args.position
        args.next()
        if args.accept("("):
            expr = args.eval()
            args.expect(")")
            args.expect(")")
            return Aggregate(name, expr=expr, parameter=parameter)
        args.position = before
    field = args.name("a field")
    args.expect(")")
    return Aggregate(name, field, parameter=parameter)


def _sparkline(args: Args) -> Aggregate:
    inner = _term(args)
    width = None
    if args.accept(","):
        token = args.value("a span")
        width = parse_span(token.text)
        if width is None:
            args.fail(f"'{token.text}' is not a span", token)
    args.expect(")")
    return Aggregate("sparkline", inner=inner, span_width=width)


def parse_aggregates(args: Args, *stops: str) -> tuple[Aggregate, ...]:
    """Read terms with commas or blanks between, up to one of the bare words ``stops``."""
    return args.separated(lambda: parse_aggregate(args), *stops)


def parse_terms_and_options(
    args: Args, options: Options, kinds: Sequence[type], *stops: str
) -> tuple[Aggregate, ...]:
    """Read terms, at least one, and options in any order up to one of the bare words ``stops``."""
    terms: list[Aggregate] = []
    while args.more() and not args.at_word(*stops):
        if args.at_option() is not None:
            args.read_options(*kinds, into=options)
        elif not args.accept(","):
            terms.append(parse_aggregate(args))
    if not terms:
        args.expected("a statistic such as count")
    return tuple(terms)


def format_by(by: tuple[str, ...]) -> str:
    """`` BY a b``, or nothing."""
    return " BY " + " ".join(word(name, "by", "as", "span") for name in by) if by else ""
