"""``makecontinuous``: rows for the gaps of a numeric field (Search Reference: makecontinuous)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl.batch.continuity import continuous
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.automatic_spans import choose_time_span, find_extent
from escudo.spl.operators.time_buckets import DEFAULT_BINS, choose_width
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import format_options, option_group
from escudo.spl.syntax.series_options import BinOptions
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class MakeContinuous(Command):
    """``makecontinuous [field] [span= bins= minspan= start= end= aligntime=]``."""

    name: ClassVar[str] = "makecontinuous"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, looks_ahead=True)

    field: str = "_time"
    bins: BinOptions = option_group(BinOptions)

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        field = args.name() if args.more() else "_time"
        args.read_options(cls, into=options)
        return cls(field=field, **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"makecontinuous {word(self.field)}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.narrowed(rows(source, self), (self.field,))
        bound = relation.bound(self.field)
        if bound is None:
            return relation
        timed = bound.type is FieldType.TIME or self.field == "_time"
        span = self.bins.span_width
        if span is None and timed:
            span = choose_time_span(relation, binder, self.bins)
        if span is None:
            low, high = find_extent(relation, self.field, binder) or (0.0, 1.0)
            span = BinSpan(choose_width(low, high, self.bins.bins or DEFAULT_BINS))
        limits = (self.bins.start, self.bins.end)
        return binder.batch(
            relation,
            "makecontinuous",
            lambda table: continuous(table, self.field, span, limits, binder.zone),
        )
