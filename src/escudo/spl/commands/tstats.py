"""``tstats``: statistics over a data model (Search Reference: tstats)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.core.timerange import TimeRange
from escudo.spl.binding import dataset
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.time_bounds import time_bounds
from escudo.spl.lowering.lower_search import TSTATS, lower_search
from escudo.spl.operators.automatic_spans import choose_time_span
from escudo.spl.operators.grouping import aggregate
from escudo.spl.operators.null_filling import fill_null
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.operators.time_buckets import floor_time
from escudo.spl.relation.relation import Relation, Traits
from escudo.spl.relation.sql import column
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import And, SearchExpr
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import option, search_text, word


@dataclass(frozen=True)
class Tstats(Command):
    """``tstats [options] aggregates [FROM source] [WHERE expr] [BY fields [span=...]]``.

    The source is a data model (``model``, and ``dataset`` where one is named), a ``namespace`` of
    a former ``tscollect``, a ``sid``, or none: the raw events.
    """

    name: ClassVar[str] = "tstats"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    aggregates: tuple[Aggregate, ...]
    model: str | None = None
    dataset: str | None = None
    namespace: str | None = None
    sid: str | None = None
    where: SearchExpr | None = None
    by: tuple[str, ...] = ()
    by_span: BinSpan | None = None
    prestats: bool = False
    local: bool = False
    append: bool = False
    summariesonly: bool = False
    include_reduced_buckets: bool = False
    allow_old_summaries: bool = False
    use_summary_index_values: bool = True
    chunk_size: int = 10_000_000
    fillnull_value: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*OPTIONS)
        aggregates: list[Aggregate] = []
        while args.more() and not args.at_word("from", "where", "by", "groupby"):
            if args.at_option() is not None:
                args.options(*OPTIONS, into=options)
            elif not args.accept(","):
                refuse_prefix(args)
                aggregates.append(parse_aggregate(args))
        if not aggregates:
            args.expected("a statistic such as count")
        source = _source(args) if args.accept_word("from") else _Source()
        where = args.condition("by", "groupby") if args.accept_word("where") else None
        by: list[str] = []
        if args.accept_word("by", "groupby"):
            while args.more():
                if args.at_option() is not None:
                    args.options("span", into=options)
                elif not args.accept(","):
                    refuse_prefix(args)
                    token = args.peek()
                    by.append(args.name())
                    if "*" in by[-1]:
                        args.fail("tstats groups by fields without wildcards", token)
            if not by:
                args.expected("a field after BY")
        return cls(
            tuple(aggregates),
            source.model,
            source.dataset,
            source.namespace,
            source.sid,
            where,
            tuple(by),
            options.span("span", None),
            options.boolean("prestats", False),
            options.boolean("local", False),
            options.boolean("append", False),
            options.boolean("summariesonly", False),
            options.boolean("include_reduced_buckets", False),
            options.boolean("allow_old_summaries", False),
            options.boolean("use_summary_index_values", True),
            options.integer("chunk_size", 10_000_000, least=1),
            options.text("fillnull_value", None),
            span=args.span(),
        )

    def format(self) -> str:
        out = (
            "tstats"
            + option("prestats", self.prestats, False)
            + option("local", self.local, False)
            + option("append", self.append, False)
            + option("summariesonly", self.summariesonly, False)
            + option("include_reduced_buckets", self.include_reduced_buckets, False)
            + option("allow_old_summaries", self.allow_old_summaries, False)
            + option("use_summary_index_values", self.use_summary_index_values, True)
            + option("chunk_size", self.chunk_size, 10_000_000)
            + option("fillnull_value", self.fillnull_value)
            + f" {', '.join(a.format() for a in self.aggregates)}"
        )
        if self.model is not None:
            full = self.model if self.dataset is None else f"{self.model}.{self.dataset}"
            out += f" FROM datamodel={word(full)}"
        elif self.namespace is not None:
            out += f" FROM {word(self.namespace, 'where', 'by', 'groupby')}"
        elif self.sid is not None:
            out += f" FROM sid={word(self.sid)}"
        if self.where is not None:
            out += f" WHERE {search_text(self.where)}"
        span = option("span", self.by_span.format()) if self.by_span else ""
        return out + format_by(self.by) + span

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None and not (self.append and self.prestats):
            raise EscudoError(
                "SPL311",
                "'tstats' must be the first command",
                span=self.span,
                hint="prestats=t append=t adds to the tstats before it",
            )
        expr, within = time_bounds(self.where or And(()), binder)
        events = self._events(expr, within, binder)
        filled: list[tuple[str, Typed]] = []
        if self.fillnull_value is not None:
            filled = [
                (name, fill_null(events.field(name), self.fillnull_value)) for name in self.by
            ]
        given: dict[str, Bound] = {}
        if "_time" in self.by:
            time = events.bound("_time")
            assert time is not None
            span = self.by_span or choose_time_span(events, binder.during(within))
            bucket = binder.names.fresh("_time")
            events = events.hide([(bucket, floor_time(column(time.ident), span))])
            given["_time"] = Bound(bucket, FieldType.TIME)
            filled = [(name, value) for name, value in filled if name != "_time"]
        events = events.extend(filled, binder.names)
        if not self.prestats:
            return aggregate(events, self.aggregates, self.by, binder, given)
        events = events.with_fields({**events.fields, **given})
        both = events if source is None else stack_rows([source, events], binder, ordered=False)
        return replace(both, traits=Traits(prestats=True))

    def _events(self, expr: SearchExpr, within: TimeRange, binder: Binder) -> Relation:
        """The rows that WHERE selects, of a dataset or of the raw events."""
        if self.namespace is not None or self.sid is not None:
            raise EscudoError(
                "SPL300",
                "tstats FROM a namespace or a job is not supported",
                span=self.span,
                hint="use FROM datamodel=Model.Dataset",
            )
        if self.model is None:
            return binder.read_raw(expr, within, TSTATS)
        expr, node = dataset.split_node(expr)
        found = dataset.find(self.model, node or self.dataset, binder, self.span)
        rows = dataset.read_prefixed(found, binder, within)
        return rows.where(lower_search(expr, binder.scope(rows), TSTATS))


OPTIONS = (
    "prestats",
    "local",
    "append",
    "summariesonly",
    "include_reduced_buckets",
    "allow_old_summaries",
    "use_summary_index_values",
    "chunk_size",
    "fillnull_value",
)


def refuse_prefix(args: Args) -> None:
    """Raise for ``PREFIX(x=)``: it reads a term index, which does not exist here."""
    token = args.peek()
    if token.text.upper() == "PREFIX" and args.source.text.startswith("(", token.end):
        args.fail(
            "PREFIX() is not supported: there is no index of terms",
            token,
            code="SPL301",
            hint="use a field of a data model, or rex over the raw events",
        )


@dataclass(frozen=True)
class _Source:
    model: str | None = None
    dataset: str | None = None
    namespace: str | None = None
    sid: str | None = None


def _source(args: Args) -> _Source:
    kind = args.accept_word("datamodel", "sid")
    if kind is None:
        return _Source(namespace=args.name("datamodel=Model.Dataset"))
    args.accept("=")
    full = args.name("the name of a data model")
    while args.peek().text.startswith(".") or full.endswith("."):
        full += args.name("the rest of the name")
    if kind == "sid":
        return _Source(sid=full)
    model, _, dataset = full.partition(".")
    return _Source(model=model, dataset=dataset or None)
