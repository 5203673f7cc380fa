"""``bin`` (``bucket``): values into ranges (Search Reference: bin)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import AliasCommand
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.automatic_spans import choose_time_span, write_ranges
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.operators.time_buckets import floor_time
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.time_modifiers import parse_time
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.options import format_options, option_group
from escudo.spl.syntax.series_options import BinOptions


@dataclass(frozen=True)
class Bin(AliasCommand):
    """``bin [options] field [AS alias]``.

    A time becomes the start of its bucket (spans of a day and longer: by the days of the search's
    time zone), a number the text of its range, such as ``20-30``; text that is no number stays as
    it is.

    Refused: a logarithmic span for times.
    """

    name: ClassVar[str] = "bin"
    aliases: ClassVar[tuple[str, ...]] = ("bucket", "discretize")
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    ranges: BinOptions = option_group(BinOptions)

    def declaration(self) -> Declaration:
        """Without ``span`` the buckets depend on the least and the greatest value of all rows."""
        return replace(self.declares, row_by_row=self.ranges.span_width is not None)

    def format(self) -> str:
        return f"bin{format_options(self)} {self.format_field()}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        bound = relation.bound(self.field)
        if bound is None:
            return relation
        value, span = bound.typed(), self.ranges.span_width
        timed = bound.type is FieldType.TIME or self.field == "_time"
        if timed or (span is not None and span.unit is not None):
            value = self._cut_time(value, relation, binder)
        else:
            text = write_ranges(relation, self.field, value, self.ranges, binder)
            value = fill_from(Typed(text, FieldType.STRING), value)
        return relation.extend([(self.alias or self.field, value)], binder.names)

    def _cut_time(self, value: Typed, relation: Relation, binder: Binder) -> Typed:
        span = choose_time_span(relation, binder, self.ranges)
        if span.log_base is not None:
            raise EscudoError("SPL104", "times have no logarithmic buckets", span=self.span)
        align = 0.0
        if self.ranges.aligntime is not None and span.unit not in ("d", "w", "mon", "q", "y"):
            align = _read_alignment(self.ranges.aligntime, binder) or 0.0
        sql = floor_time(as_number(value), span, align, binder.zone)
        return Typed(sql, FieldType.TIME if value.type is FieldType.TIME else FieldType.NUMBER)


def _read_alignment(aligntime: str, binder: Binder) -> float | None:
    match aligntime:
        case "earliest":
            return binder.within.earliest
        case "latest":
            return binder.within.latest
        case text:
            return parse_time(text, binder.now, binder.zone)
