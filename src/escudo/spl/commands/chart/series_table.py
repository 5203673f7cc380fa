"""Statistics of rows -> a table with a column for each series; for ``chart`` and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.batch.pivot import Naming
from escudo.spl.batch.series_selection import (
    Selection,
    chosen_series,
    score_of,
    with_other,
)
from escudo.spl.binding.binder import Binder
from escudo.spl.functions import stats_functions
from escudo.spl.operators.automatic_spans import write_ranges
from escudo.spl.operators.grouping import aggregate_rows, expand_values, is_present
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import column, literal_text
from escudo.spl.relation.values import Bound, Typed, null_value
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Unary
from escudo.spl.syntax.series_options import BinOptions, SeriesOptions, SplitWhere

_SERIES = "_chart_series"
_ADDED = frozenset({"count", "sum"})
"""Functions whose value for several series together is the sum of theirs."""
ZERO_WHERE_EMPTY = frozenset({"count", "dc", "estdc"})
"""Functions whose value is 0 where a series has no events."""


def cut_into_ranges(relation: Relation, name: str, options: BinOptions, binder: Binder) -> Relation:
    """Numbers of a field as ranges, where options ask for it."""
    value = relation.field(name)
    if value is None or options == BinOptions():
        return relation
    text = write_ranges(relation, name, value, options, binder)
    return relation.extend([(name, Typed(text, FieldType.STRING))], binder.names)


def build_series(
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
        null = literal_text(options.nullstr) if options.usenull else null_value().sql
        values = exp.Coalesce(this=column(bound.ident), expressions=[exp.Array(expressions=[null])])
        listed = [(split, Typed(values, FieldType.MULTIVALUE))]
        relation, bound = expand_values(relation.extend(listed, binder.names), split, binder)
    added = bound is not None and all(a.function in _ADDED for a in aggregates)
    if bound is None:
        label = Typed(literal_text(options.nullstr), FieldType.STRING)
    elif added:
        label = _label(bound, None, options)
    else:
        keep = _chosen(relation, aggregates, row, split, options, where, binder, given)
        label = _label(bound, keep, options)
    relation = relation.extend([(_SERIES, label)], binder.names)
    found = compute_statistics(relation, aggregates, (*by, _SERIES), binder, given)
    naming = Naming(options.sep, options.series_format or "$AGG$$SEP$$VAL$")
    outputs = [a.output for a in aggregates]
    zero = {a.output for a in aggregates if a.function in ZERO_WHERE_EMPTY}
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
    text = as_text(bound.typed())
    missing = exp.Is(this=text.copy(), expression=exp.null())
    null = literal_text(options.nullstr) if options.usenull else null_value().sql
    ifs = [exp.If(this=missing, true=null)]
    default: exp.Expression = text.copy()
    if keep is not None:
        default = literal_text(options.otherstr) if options.useother else null_value().sql
        if keep:
            known = exp.In(this=text.copy(), expressions=[literal_text(k) for k in keep])
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
    if where is None and not options.limit.count:
        return None
    if binder.runner is None:
        binder.deferred.append("the series of a chart")
        return None
    found = relation.bound(split)
    assert found is not None
    known = relation.where(is_present(found))
    by = (split,) if row is None else (row, split)
    first = replace(aggregates[0], alias="_score")
    scores = binder.collect(
        compute_statistics(known, [first], by, binder, given), "the series of a chart"
    )
    assert scores is not None
    return chosen_series(scores, split, "_score", options, where, score_of(where, options))


def compute_statistics(
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
    found = aggregate_rows(relation, parts, by, binder, given)
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


def chart_metrics(
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
