"""``trendline``: moving averages (Search Reference: trendline)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import frame, number_rows, over
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    case_when,
    divided_by,
    equal,
    literal_integer,
    literal_number,
    minus,
    parenthesise,
    times,
)
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node
from escudo.spl.syntax.unparse import word

_TREND = re.compile(r"(sma|ema|wma)(\d+)\((.+)\)", re.IGNORECASE)
_LEAST, _MOST = 2, 10_000


@dataclass(frozen=True)
class Trend(Node):
    """``sma5(field) AS name``; ``kind`` is ``sma`` or ``wma``."""

    kind: str
    period: int
    field: str
    alias: str | None = None

    def format(self) -> str:
        """The term in SPL."""
        alias = f" AS {word(self.alias)}" if self.alias is not None else ""
        return f"{self.kind}{self.period}({self.field}){alias}"


@dataclass(frozen=True)
class Trendline(Command):
    """``trendline (sma|wma)<period>(field) [AS name] ...``.

    The mean of the last rows, as many as the period says (2 to 10,000): simple (``sma``), or the
    newest weighing most (``wma``). Where one of these rows is missing or has no number, there is
    no average.

    Refused: the exponential average ``ema``.
    """

    name: ClassVar[str] = "trendline"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    trends: tuple[Trend, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        trends: list[Trend] = []
        while args.more():
            if not args.accept(","):
                trends.append(_read_trend(args))
        if not trends:
            args.expected("a trend such as sma5(count)")
        return cls(trends=tuple(trends), span=args.span())

    def format(self) -> str:
        return "trendline " + " ".join(t.format() for t in self.trends)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation, row = number_rows(rows(source, self), binder)
        added: list[tuple[str, Typed]] = []
        for trend in self.trends:
            value = relation.field(trend.field)
            name = trend.alias or f"{trend.kind}{trend.period}({trend.field})"
            average = null_value(FieldType.NUMBER)
            if value is not None:
                average = Typed(_average_rows(trend, as_number(value), row), FieldType.NUMBER)
            added.append((name, average))
        return relation.extend(added, binder.names, window=True)


def _read_trend(args: Args) -> Trend:
    token = args.peek_name()
    match = _TREND.fullmatch(token.text) if token is not None else None
    if token is None or match is None:
        args.expected("a trend such as sma5(count)")
    kind, period = match[1].lower(), int(match[2])
    if not _LEAST <= period <= _MOST:
        args.fail(f"the period of a trend is between {_LEAST} and {_MOST:,}", token)
    if kind == "ema":
        args.fail(
            "exponential moving averages are not supported",
            token,
            code="SPL301",
            hint="use sma or wma",
        )
    args.name()
    alias = args.name("a name after AS") if args.accept_word("as") else None
    span = args.source.span(token.start, token.end)
    return Trend(kind=kind, period=period, field=match[3].strip(), alias=alias, span=span)


def _average_rows(trend: Trend, number: exp.Expression, row: exp.Column) -> exp.Expression:
    """The mean of the last rows, null unless all of them have a number.

    In ``wma`` the newest of n rows weighs n, the oldest 1: a row's weight is its number less that
    of the row before the first, so two sums do for any period.
    """
    n = literal_integer(trend.period)

    def last(function: exp.Expression) -> exp.Window:
        return over(function, [Order(row)], spec=frame(1 - trend.period, 0))

    if trend.kind == "sma":
        average: exp.Expression = last(exp.Avg(this=number))
    else:
        weighted = last(exp.Sum(this=times(row.copy(), parenthesise(number))))
        before = exp.Paren(this=minus(row.copy(), n.copy()))
        plain = times(before, last(exp.Sum(this=number.copy())))
        weights = literal_number(trend.period * (trend.period + 1) / 2)
        average = divided_by(exp.Paren(this=minus(weighted, plain)), weights)
    whole = equal(last(exp.Count(this=number.copy())), n)
    return case_when((whole, average))
