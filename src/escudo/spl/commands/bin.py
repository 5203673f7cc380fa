"""``bin`` (``bucket``): values into ranges (Search Reference: bin)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators import time_buckets
from escudo.spl.operators.automatic_spans import automatic_bins, extent
from escudo.spl.operators.null_filling import or_else
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.time_modifiers import parse_time
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Bin(Command):
    """``bin [options] field [AS alias]``."""

    name: ClassVar[str] = "bin"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str
    alias: str | None = None
    span_width: BinSpan | None = None
    bins: int | None = None
    minspan: BinSpan | None = None
    start: float | None = None
    end: float | None = None
    aligntime: str | None = None

    def declaration(self) -> Declaration:
        """Without ``span`` the buckets depend on the least and the greatest value of all rows."""
        return replace(self.declares, row_by_row=self.span_width is not None)

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("span", "bins", "minspan", "start", "end", "aligntime")
        options = args.options(*known)
        field = args.name()
        args.options(*known, into=options)
        alias = args.name("a name after AS") if args.accept_word("as") else None
        args.options(*known, into=options)
        return cls(
            field,
            alias,
            options.span("span", None),
            options.integer("bins", None, least=2),
            options.span("minspan", None),
            options.number("start", None),
            options.number("end", None),
            options.text("aligntime", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "bin"
            + option("span", self.span_width.format() if self.span_width else None)
            + option("bins", self.bins)
            + option("minspan", self.minspan.format() if self.minspan else None)
            + option("start", self.start)
            + option("end", self.end)
            + option("aligntime", self.aligntime)
            + f" {word(self.field, 'as')}"
            + (f" AS {word(self.alias)}" if self.alias else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        bound = relation.bound(self.field)
        if bound is None:
            return relation
        span = self.span_width
        timed = bound.type is FieldType.TIME or self.field == "_time"
        if timed or (span is not None and span.unit is not None):
            value = self._time(bound.typed(), relation, binder)
        else:
            value = self._number(bound.typed(), relation, binder)
        return relation.extend([(self.alias or self.field, value)], binder.names)

    def _time(self, value: Typed, relation: Relation, binder: Binder) -> Typed:
        span = self.span_width or automatic_bins(relation, binder, self.bins, self.minspan)
        if span.log_base is not None:
            raise EscudoError("SPL104", "times have no logarithmic buckets", span=self.span)
        align = 0.0
        if self.aligntime is not None and span.unit not in ("d", "w", "mon", "q", "y"):
            align = self._alignment(binder) or 0.0
        sql = time_buckets.time_bin(as_number(value), span, align)
        return Typed(sql, FieldType.TIME if value.type is FieldType.TIME else FieldType.NUMBER)

    def _alignment(self, binder: Binder) -> float | None:
        match self.aligntime:
            case "earliest":
                return binder.within.earliest
            case "latest":
                return binder.within.latest
            case text:
                return parse_time(text or "", binder.now)

    def _number(self, value: Typed, relation: Relation, binder: Binder) -> Typed:
        number = as_number(value)
        if self.span_width is not None and self.span_width.log_base is not None:
            text = time_buckets.log_range_text(number, self.span_width)
        else:
            text = time_buckets.range_text(number, self._width(relation, binder))
        return or_else(Typed(text, FieldType.STRING), value)

    def _width(self, relation: Relation, binder: Binder) -> float:
        if self.span_width is not None:
            return self.span_width.size
        least = self.minspan.size if self.minspan else 0.0
        low, high = extent(relation, self.field, binder) or (0.0, 1.0)
        low = low if self.start is None else min(low, self.start)
        high = high if self.end is None else max(high, self.end)
        return time_buckets.automatic_width(
            low, high, self.bins or time_buckets.DEFAULT_BINS, least
        )
