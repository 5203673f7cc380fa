"""Statistics of one row: what ``stats`` gives by all that its rows were grouped by before.

To group many groups again costs more than to make them: DuckDB keeps them once more for each
``DISTINCT`` (2026-11-30, half a million groups of command lines: 6.5 of 9 seconds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.functions.aggregate import map_aggregates
from escudo.spl.relation.sql import (
    case_when,
    cast_to,
    has_value,
    list_of,
    literal_integer,
    parenthesise,
    prelude_call,
)


class _NeedsRowsError(Exception):
    """An aggregate that is not written for one row."""


def sum_up_one_row(value: exp.Expression) -> exp.Expression | None:
    """An expression of aggregates as one of a row that is a group alone; None if there is none.

    >>> sum_up_one_row(exp.Max(this=exp.column("n"))).sql()
    'n'
    >>> sum_up_one_row(exp.Count(this=exp.Star())).sql()
    'CAST(1 AS BIGINT)'
    """
    try:
        return map_aggregates(value, _of_one_row)
    except _NeedsRowsError:
        return None


def _of_one_row(node: exp.Expression) -> exp.Expression:
    match node:
        case exp.Max(this=sql) | exp.Min(this=sql) | exp.Sum(this=sql):
            return parenthesise(sql)
        case exp.Avg(this=sql):
            return cast_to(sql, FieldType.NUMBER)
        case exp.StddevSamp() | exp.Variance():
            return cast_to(exp.null(), FieldType.NUMBER)
        case exp.Count(this=exp.Star()):
            return cast_to(literal_integer(1), FieldType.INTEGER)
        case exp.Count(this=exp.Distinct(expressions=[sql])) | exp.Count(this=sql):
            return _one_if(has_value(parenthesise(sql)))
        case exp.ArgMin(this=sql, expression=key) | exp.ArgMax(this=sql, expression=key):
            return case_when((has_value(parenthesise(key)), sql))
        case exp.Anonymous(this=name, expressions=[sql, *_]) if name in _OWN:
            return _OWN[name](sql)
    raise _NeedsRowsError


def _one_if(condition: exp.Expression) -> exp.Expression:
    one = case_when((condition, literal_integer(1)), otherwise=literal_integer(0))
    return cast_to(one, FieldType.INTEGER)


def _one_value(text: exp.Expression) -> exp.Expression:
    return prelude_call("spl_list", text)


def _one_list(values: exp.Expression) -> exp.Expression:
    return case_when((has_value(parenthesise(values.copy())), list_of([values])))


_OWN: Mapping[str, Callable[[exp.Expression], exp.Expression]] = {
    "spl_agg_count_if": lambda condition: _one_if(parenthesise(condition)),
    "spl_agg_distinct": _one_value,
    "spl_agg_list_ordered": _one_value,
    "spl_agg_flatten": _one_list,
    "spl_agg_distinct_lists": _one_list,
    "spl_agg_flatten_ordered": _one_list,
    **{
        f"spl_agg_{name}": parenthesise
        for name in ("first", "last", "mode", "percentile", "upper_percentile")
    },
}
