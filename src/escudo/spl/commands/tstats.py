"""``tstats``: statistics over a data model (Search Reference: tstats)."""

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.core.timerange import TimeRange
from escudo.spl.binding import dataset
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.time_bounds import time_bounds
from escudo.spl.lowering.lower_search import TSTATS, lower_search
from escudo.spl.operators.automatic_spans import choose_time_span
from escudo.spl.operators.extraction import find_tokens
from escudo.spl.operators.grouping import aggregate_rows
from escudo.spl.operators.null_filling import fill_null
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.operators.time_buckets import floor_time
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation, Traits
from escudo.spl.relation.sql import column, lower_case, prelude_call
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import And, Node, SearchExpr
from escudo.spl.syntax.options import (
    Options,
    boolean_option,
    format_options,
    integer_option,
    option_group,
    span_option,
    text_option,
)
from escudo.spl.syntax.spans import SECONDS, BinSpan, is_of_calendar
from escudo.spl.syntax.unparse import search_text, word


@dataclass(frozen=True, kw_only=True)
class IndexStatistics(Command, ABC):
    """What ``tstats`` and ``mstats`` share: statistics over the events that WHERE selects."""

    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    aggregates: tuple[Aggregate, ...]
    where: SearchExpr | None = None
    by: tuple[str, ...] = ()
    prestats: bool = boolean_option(
        False, "Whether the rows are left for the statistics of the next command."
    )
    append: bool = boolean_option(
        False, "With prestats, whether the rows are added to those of the search so far."
    )
    fillnull_value: str | None = text_option(
        None, "What stands for BY fields without a value; else such rows are left out."
    )
    chunk_size: int = integer_option(
        10_000_000, "Events that Splunk reads at a time; no effect here.", least=1
    )

    @classmethod
    def read_aggregates(cls, args: Args, options: Options, *stops: str) -> tuple[Aggregate, ...]:
        """Statistics and options in any order, up to one of the bare words ``stops``."""
        aggregates: list[Aggregate] = []
        while args.more() and not args.at_word(*stops):
            if args.at_option() is not None:
                args.read_options(cls, into=options)
            elif not args.accept(","):
                aggregates.append(parse_aggregate(args))
        if not aggregates:
            args.expected("a statistic such as count")
        return tuple(aggregates)

    def format_clauses(self, source: str = "") -> str:
        """The command up to its BY fields; ``source`` is what stands before WHERE."""
        terms = ", ".join(a.format() for a in self.aggregates)
        where = f" WHERE {search_text(self.where)}" if self.where is not None else ""
        return f"{self.name}{format_options(self)} {terms}{source}{where}{format_by(self.by)}"

    def fill_keys(self, events: Relation, by: Sequence[str], binder: Binder) -> Relation:
        """The events with ``fillnull_value`` in BY fields that are null."""
        if self.fillnull_value is None:
            return events
        names = [name for name in by if name != "_time"]
        filled = [(n, fill_null(events.field(n), self.fillnull_value)) for n in names]
        return events.extend(filled, binder.names)

    def keep_events(
        self,
        source: Relation | None,
        events: Relation,
        *,
        given: dict[str, Bound],
        binder: Binder,
    ) -> Relation:
        """``prestats=t``: the events after those of the search so far, for later statistics."""
        events = events.with_fields({**events.fields, **given})
        both = events if source is None else stack_rows([source, events], binder, ordered=False)
        return replace(both, traits=Traits(prestats=True))


def cut_time(
    events: Relation, time: Bound, *, span: BinSpan | None, binder: Binder
) -> tuple[Relation, dict[str, Bound]]:
    """The events with buckets of their time, as what ``_time`` is grouped by."""
    width = span or choose_time_span(events, binder)
    bucket = binder.names.fresh("_time")
    events = events.hide([(bucket, floor_time(column(time.ident), width, zone=binder.zone))])
    return events, {"_time": Bound(bucket, FieldType.TIME)}


@dataclass(frozen=True)
class BucketOptions(Node):
    """Options that stand among the BY fields."""

    width: BinSpan | None = span_option(
        None,
        "The width of the buckets of `_time`, after BY; by the time range by default.",
        name="span",
    )


@dataclass(frozen=True)
class Tstats(IndexStatistics):
    """``tstats [options] aggregates [FROM source] [WHERE expr] [BY fields [span=...]]``.

    The source is ``datamodel=Model`` or ``datamodel=Model.Dataset``, else the raw events. WHERE
    compares as ``search`` does, but an address with a mask is plain text. Rows without a BY field
    are left out.

    Differs from Splunk: data models are tables, so there are no summaries, and the options about
    them do nothing. Every field of the raw events can be used, not only those of an index.

    ``PREFIX(text)`` in BY or a statistic is a field called as the text: what follows it in the
    words of `_raw`, in lower case.

    Refused: FROM a namespace of ``tscollect`` or a ``sid``; ``PREFIX()`` over a data model.
    """

    name: ClassVar[str] = "tstats"

    model: str | None = None
    dataset: str | None = None
    namespace: str | None = None
    sid: str | None = None
    buckets: BucketOptions = option_group(BucketOptions, apart=True)
    local: bool = boolean_option(
        False, "Whether it runs only where the search started; no effect here."
    )
    summariesonly: bool = boolean_option(
        False, "Whether only what is summarised counts; no effect here."
    )
    include_reduced_buckets: bool = boolean_option(
        False, "Whether buckets with a reduced index count; no effect here."
    )
    allow_old_summaries: bool = boolean_option(
        False, "Whether summaries of an older model count; no effect here."
    )
    use_summary_index_values: bool = boolean_option(
        True, "Whether host, source and the like are those of the summary; no effect here."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        aggregates = cls.read_aggregates(args, options, "from", "where", "by", "groupby")
        source = _read_source(args) if args.accept_word("from") else {}
        where = args.condition("by", "groupby") if args.accept_word("where") else None
        by: list[str] = []
        if args.accept_word("by", "groupby"):
            while args.more():
                if args.at_option() is not None:
                    args.read_options(BucketOptions, into=options)
                elif not args.accept(","):
                    token = args.peek()
                    by.append(args.name())
                    if "*" in by[-1]:
                        args.fail("tstats groups by fields without wildcards", token)
            if not by:
                args.expected("a field after BY")
        return cls(
            aggregates=aggregates,
            **source,
            where=where,
            by=tuple(by),
            **{**options.values(cls), "buckets": options.read(BucketOptions)},
            span=args.span(),
        )

    def format(self) -> str:
        source = ""
        if self.model is not None:
            full = self.model if self.dataset is None else f"{self.model}.{self.dataset}"
            source = f" FROM datamodel={word(full)}"
        elif self.namespace is not None:
            source = f" FROM {word(self.namespace, 'where', 'by', 'groupby')}"
        elif self.sid is not None:
            source = f" FROM sid={word(self.sid)}"
        return self.format_clauses(source) + format_options(self.buckets)

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """The groups are the same; what sums them up is not, nor buckets of a width that depends on
        the time range."""
        by_time = "_time" in self.by and self.buckets.width is None
        if not self.by or by_time or self.prestats:
            return None
        return frozenset(a.output for a in self.aggregates)

    def delay(self) -> float | None:
        width = self.buckets.width
        if self.by[:1] != ("_time",) or self.prestats or width is None or is_of_calendar(width):
            return None
        return width.size * SECONDS[width.unit or "s"]

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None and not (self.append and self.prestats):
            raise EscudoError(
                "SPL311",
                "'tstats' must be the first command",
                span=self.span,
                hint="prestats=t append=t adds to the tstats before it",
            )
        expr, within = time_bounds(self.where or And(()), binder)
        events = self._select_events(expr, within, binder)
        names = (*self.by, *(term.field for term in self.aggregates))
        events = add_prefixes(events, names, binder)
        by = tuple(prefix_of(name) or name for name in self.by)
        events = self.fill_keys(events, by, binder)
        given: dict[str, Bound] = {}
        if "_time" in self.by:
            time = events.bound("_time")
            assert time is not None
            events, given = cut_time(
                events, time, span=self.buckets.width, binder=binder.during(within)
            )
        if self.prestats:
            return self.keep_events(source, events, given=given, binder=binder)
        terms = [name_prefix(term) for term in self.aggregates]
        return aggregate_rows(events, terms, by=by, binder=binder, given=given)

    def _select_events(self, expr: SearchExpr, within: TimeRange, binder: Binder) -> Relation:
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
        if any(map(prefix_of, (*self.by, *(term.field for term in self.aggregates)))):
            raise EscudoError(
                "SPL301",
                "PREFIX() reads the words of raw events, not a data model",
                span=self.span,
                hint="name a field of the data model, or leave FROM out",
            )
        expr, node = dataset.split_node(expr)
        path = dataset.find(self.model, node or self.dataset, binder=binder, span=self.span)
        rows = dataset.read_prefixed(path, binder, within)
        return rows.where(lower_search(expr, binder.scope(rows), TSTATS))


_PREFIX = re.compile(r"(?i)PREFIX\((.+)\)\Z")
_BREAKERS = r"""\s\[\]<>(){}|!;,'"*&?+"""
"""Characters between the words of an event: Splunk's major breakers (Segmentation)."""


def prefix_of(name: str | None) -> str | None:
    """The text of ``PREFIX(text)``; None if a name is none.

    >>> prefix_of("PREFIX(kbps=)"), prefix_of("kbps")
    ('kbps=', None)
    """
    found = _PREFIX.match(name or "")
    return found[1] if found else None


def name_prefix(term: Aggregate) -> Aggregate:
    """A statistic of ``PREFIX(text)`` as one of the field of that name."""
    text = prefix_of(term.field)
    if text is None:
        return term
    return replace(term, field=text, label=term.label.replace(str(term.field), text))


def add_prefixes(events: Relation, names: Iterable[str | None], binder: Binder) -> Relation:
    """The events with a field for each ``PREFIX(text)`` among names: the words that begin so."""
    added: list[tuple[str, Typed]] = []
    raw = events.field("_raw")
    for text in dict.fromkeys(t for n in names if (t := prefix_of(n)) is not None):
        pattern = f"(?:^|[{_BREAKERS}]){re.escape(text.lower())}([^{_BREAKERS}]+)"
        if raw is not None:
            lower = Typed(lower_case(as_text(raw)), FieldType.STRING)
            words = prelude_call("spl_mvdedup", find_tokens(lower, pattern, None))
            added.append((text, Typed(words, FieldType.MULTIVALUE)))
    return events.extend(added, binder.names)


def _read_source(args: Args) -> dict[str, Any]:
    """What FROM names: the fields of the command that hold it."""
    kind = args.accept_word("datamodel", "sid")
    if kind is None:
        return {"namespace": args.name("datamodel=Model.Dataset")}
    args.accept("=")
    full = args.name("the name of a data model")
    while args.peek().text.startswith(".") or full.endswith("."):
        full += args.name("the rest of the name")
    if kind == "sid":
        return {"sid": full}
    model, _, dataset_name = full.partition(".")
    return {"model": model, "dataset": dataset_name or None}
