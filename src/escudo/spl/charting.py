"""``chart`` and ``timechart``: statistics as a table with a column for each series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl import bins, coerce
from escudo.spl.aggregates import Aggregate
from escudo.spl.ast import Binary, Call, EvalExpr, FieldRef, Unary
from escudo.spl.automatic import automatic_bins, extent
from escudo.spl.batch.chart import (
    Selection,
    chosen_series,
    filled_chart,
    score_of,
    with_other,
)
from escudo.spl.batch.pivot import Naming
from escudo.spl.bind import Binder
from escudo.spl.functions import stats_functions
from escudo.spl.grouping import aggregate, each_value, present
from escudo.spl.plan import Bound, Relation, Typed, column
from escudo.spl.series import BinOptions, SeriesOptions, SplitWhere
from escudo.spl.spans import BinSpan

if TYPE_CHECKING:
    from escudo.spl.commands.chart import Chart
    from escudo.spl.commands.timechart import Timechart

_SERIES = "_chart_series"
_ADDED = frozenset({"count", "sum"})
"""Functions whose value for several series together is the sum of theirs."""
_ZERO = frozenset({"count", "dc", "estdc"})
"""Functions whose value is 0 where a series has no events."""


def charted(relation: Relation, command: Chart, binder: Binder) -> Relation:
    """A row for each value of the row field, a column for each value of the column field."""
    row = command.row
    given: dict[str, Bound] = {}
    if row is not None:
        relation, given = _binned(relation, row, command.row_bins, binder)
    by = () if row is None else (row,)
    if command.column is None:
        return statistics(relation, command.aggregates, by, binder, given)
    relation = _split_binned(relation, command.column, command.column_bins, binder)
    options = command.series
    return _series(
        relation, command.aggregates, row, command.column, options, command.where, binder, given
    )


def time_charted(relation: Relation, command: Timechart, binder: Binder) -> Relation:
    """A row for each bucket of time, without gaps; a column for each series."""
    time = relation.bound("_time")
    if time is None:
        raise EscudoError("SPL105", "timechart needs _time", span=command.span)
    options = command.bins
    span = options.span_width or automatic_bins(relation, binder, options.bins, options.minspan)
    bucket = binder.names.fresh("_time")
    cut = relation.hide([(bucket, bins.time_bin(column(time.ident), span))])
    given = {"_time": Bound(bucket, FieldType.TIME)}
    width = span.size * bins.SECONDS.get(span.unit or "s", 2592000.0)
    aggregates = [_per_unit(a, width) for a in command.aggregates]
    limits = _limits(command, binder)
    if command.by is None:
        found = statistics(cut, aggregates, ("_time",), binder, given)
    else:
        cut = _split_binned(cut, command.by, command.split_bins, binder)
        found = _series(
            cut, aggregates, "_time", command.by, command.series, command.where, binder, given
        )
    if not command.cont:
        return found
    zero = {a.output for a in aggregates if a.function in _ZERO}
    every = command.by is not None and len(aggregates) == 1 and bool(zero)
    return binder.batch(
        found,
        "the buckets of timechart",
        lambda table: filled_chart(table, span, limits, zero, every_series=every),
        kinds={"_time": FieldType.TIME},
    )


def _per_unit(term: Aggregate, width: float) -> Aggregate:
    """``per_hour(x)`` and kin are scaled by the width of a bucket."""
    scaled = term.function.startswith("per_")
    return replace(term, parameter=width) if scaled else term


def _limits(command: Timechart, binder: Binder) -> tuple[float | None, float | None]:
    """The first and last time that buckets are made for."""
    within = binder.within
    if command.fixedrange and within.earliest is not None and within.latest is not None:
        return within.earliest, within.latest - 1e-6
    return None, None


def _binned(
    relation: Relation, name: str, options: BinOptions, binder: Binder
) -> tuple[Relation, dict[str, Bound]]:
    bound = relation.bound(name)
    if bound is None or options == BinOptions():
        if bound is not None and name == "_time":
            span = automatic_bins(relation, binder)
            return _bucketed(relation, bound, span, binder)
        return relation, {}
    if bound.type is FieldType.TIME or name == "_time":
        span = options.span_width or automatic_bins(relation, binder, options.bins, options.minspan)
        return _bucketed(relation, bound, span, binder)
    return _split_binned(relation, name, options, binder), {}


def _bucketed(
    relation: Relation, bound: Bound, span: BinSpan, binder: Binder
) -> tuple[Relation, dict[str, Bound]]:
    bucket = binder.names.fresh("_time")
    cut = relation.hide([(bucket, bins.time_bin(column(bound.ident), span))])
    return cut, {"_time": Bound(bucket, FieldType.TIME)}


def _split_binned(relation: Relation, name: str, options: BinOptions, binder: Binder) -> Relation:
    """Numbers of a field as ranges, where options ask for it."""
    value = relation.field(name)
    if value is None or options == BinOptions():
        return relation
    number = coerce.as_number(value)
    if options.span_width is not None and options.span_width.log_base is not None:
        text = bins.log_range_text(number, options.span_width)
    else:
        width = options.span_width.size if options.span_width else None
        if width is None:
            low, high = extent(relation, name, binder) or (0.0, 1.0)
            least = options.minspan.size if options.minspan else 0.0
            width = bins.automatic_width(low, high, options.bins or bins.DEFAULT_BINS, least)
        text = bins.range_text(number, width)
    return relation.extend([(name, Typed(text, FieldType.STRING))], binder.names)


def _series(
    relation: Relation,
    aggregates: Sequence[Aggregate],
    row: str | None,
    split: str,
    options: SeriesOptions,
    where: SplitWhere | None,
    binder: Binder,
    given: dict[str, Bound],
) -> Relation:
    """Statistics for each row and series; series beyond the limit are one, so are null values."""
    bound = relation.bound(split)
    by = () if row is None else (row,)
    if bound is not None and bound.type is FieldType.MULTIVALUE:
        null = coerce.literal_text(options.nullstr) if options.usenull else coerce.null().sql
        values = exp.Coalesce(this=column(bound.ident), expressions=[exp.Array(expressions=[null])])
        listed = [(split, Typed(values, FieldType.MULTIVALUE))]
        relation, bound = each_value(relation.extend(listed, binder.names), split, binder)
    added = bound is not None and all(a.function in _ADDED for a in aggregates)
    if bound is None:
        label = Typed(coerce.literal_text(options.nullstr), FieldType.STRING)
    elif added:
        label = _label(bound, None, options)
    else:
        keep = _chosen(relation, aggregates, row, split, options, where, binder, given)
        label = _label(bound, keep, options)
    relation = relation.extend([(_SERIES, label)], binder.names)
    found = statistics(relation, aggregates, (*by, _SERIES), binder, given)
    naming = Naming(options.sep, options.series_format or "$AGG$$SEP$$VAL$")
    outputs = [a.output for a in aggregates]
    zero = {a.output for a in aggregates if a.function in _ZERO}
    last = (options.otherstr, options.nullstr)

    def shape(table: pa.Table) -> pa.Table:
        if added:
            score = score_of(where, options)
            table = with_other(table, row, _SERIES, outputs, options, where, score)
        return Selection(row, _SERIES, tuple(outputs), naming, frozenset(zero), last).table(table)

    kinds = {"_time": FieldType.TIME} if row == "_time" else {}
    return binder.batch(found, "the series of a chart", shape, known=by, kinds=kinds)


def _label(bound: Bound, keep: Sequence[str] | None, options: SeriesOptions) -> Typed:
    """The name of an event's series; null where the event is left out."""
    text = coerce.as_text(bound.typed())
    missing = exp.Is(this=text.copy(), expression=exp.null())
    null = coerce.literal_text(options.nullstr) if options.usenull else coerce.null().sql
    ifs = [exp.If(this=missing, true=null)]
    default: exp.Expression = text.copy()
    if keep is not None:
        default = coerce.literal_text(options.otherstr) if options.useother else coerce.null().sql
        if keep:
            known = exp.In(this=text.copy(), expressions=[coerce.literal_text(k) for k in keep])
            ifs.append(exp.If(this=known, true=text.copy()))
    return Typed(exp.Case(ifs=ifs, default=default), FieldType.STRING)


def _chosen(
    relation: Relation,
    aggregates: Sequence[Aggregate],
    row: str | None,
    split: str,
    options: SeriesOptions,
    where: SplitWhere | None,
    binder: Binder,
    given: dict[str, Bound],
) -> list[str] | None:
    """The series to show by name; None if all are."""
    if where is None and not options.limit:
        return None
    if binder.runner is None:
        binder.deferred.append("the series of a chart")
        return None
    found = relation.bound(split)
    assert found is not None
    known = relation.where(present(found))
    by = (split,) if row is None else (row, split)
    first = replace(aggregates[0], alias="_score")
    scores = binder.collect(statistics(known, [first], by, binder, given), "the series of a chart")
    assert scores is not None
    return chosen_series(scores, split, "_score", options, where, score_of(where, options))


def statistics(
    relation: Relation,
    aggregates: Sequence[Aggregate],
    by: Sequence[str],
    binder: Binder,
    given: dict[str, Bound],
) -> Relation:
    """``aggregate``, with terms such as ``eval(round(avg(x), 2))`` computed from their parts."""
    parts: list[Aggregate] = []
    formulas: dict[str, EvalExpr] = {}
    for term in aggregates:
        if term.function == "eval" and term.expr is not None:
            formulas[term.output] = _with_parts(term.expr, parts)
        else:
            parts.append(term)
    found = aggregate(relation, parts, by, binder, given)
    if not formulas:
        return found
    computed = [(name, binder.evaluate(e, found)) for name, e in formulas.items()]
    found = found.extend(computed, binder.names)
    shown = [*by, *(a.output for a in aggregates)]
    return found.closed({n: b for n in shown if (b := found.bound(n)) is not None})


def _with_parts(expr: EvalExpr, parts: list[Aggregate]) -> EvalExpr:
    """The expression with its statistics replaced by fields, which ``parts`` compute."""
    match expr:
        case Call(name, args) if name in stats_functions and len(args) <= 1:
            alias = f"_part{len(parts)}"
            if args and isinstance(args[0], FieldRef):
                parts.append(Aggregate(name, args[0].name, alias=alias))
            else:
                parts.append(Aggregate(name, expr=args[0] if args else None, alias=alias))
            return FieldRef(alias)
        case Call(name, args):
            return Call(name, tuple(_with_parts(a, parts) for a in args), span=expr.span)
        case Binary(op, left, right):
            return Binary(op, _with_parts(left, parts), _with_parts(right, parts), span=expr.span)
        case Unary(op, operand):
            return Unary(op, _with_parts(operand, parts), span=expr.span)
        case _:
            return expr


def metric_chart(
    found: Relation,
    aggregates: Sequence[Aggregate],
    by: Sequence[str],
    options: SeriesOptions,
    binder: Binder,
) -> Relation:
    """``mstats chart=t``: the statistics as ``timechart`` would show them."""
    split = [n for n in by if n != "_time"]
    if not split:
        return found
    naming = Naming(options.sep, options.series_format or "$AGG$$SEP$$VAL$")
    outputs = tuple(a.output for a in aggregates)
    last = (options.otherstr, options.nullstr)
    selection = Selection("_time", split[0], outputs, naming, frozenset(), last)
    return binder.batch(
        found, "the series of a chart", selection.table, kinds={"_time": FieldType.TIME}
    )
