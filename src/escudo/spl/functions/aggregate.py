"""Statistical functions (Search Reference, Aggregatefunctions, Eventorderfunctions,
Multivaluefunctions, Timefunctions).

Every builder gives aggregates of SQLGlot (``exp.AggFunc``), perhaps inside a scalar expression;
``map_aggregates`` puts them over a window. A multivalue argument counts each of its values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.functions.row import AggregateBuilder, Params, StatsFunction
from escudo.spl.relation.coercion import as_number, as_text
from escudo.spl.relation.sql import (
    case_when,
    cast_to,
    coalesce,
    count_rows,
    count_values,
    divided_by,
    equal,
    greatest_value,
    has_value,
    in_parentheses,
    least_value,
    literal_integer,
    literal_number,
    minus,
    more_than,
    negative,
    null_if,
    parenthesise,
    prelude_call,
    sum_values,
    times,
)
from escudo.spl.relation.values import NUMERIC, Typed, null_value

_AGGREGATE = "Aggregatefunctions"
_ORDER = "Eventorderfunctions"
_MULTIVALUE = "Multivaluefunctions"
_TIME = "Timefunctions"
_NUMBER = FieldType.NUMBER
_INTEGER = FieldType.INTEGER
_STRING = FieldType.STRING
_LIST = FieldType.MULTIVALUE
LIST_LIMIT = 100
"""``list()`` keeps the first 100 values (Search Reference, Multivalue stats functions)."""


def map_aggregates(
    value: exp.Expression, change: Callable[[exp.Expression], exp.Expression]
) -> exp.Expression:
    """The expression with each of its aggregates changed: put over a window, for example.

    >>> rate = divided_by(sum_values(exp.column("x")), count_rows())
    >>> map_aggregates(rate, lambda agg: exp.Window(this=agg)).sql()
    'SUM(x) OVER () / COUNT(*) OVER ()'
    """

    def step(node: exp.Expr) -> exp.Expr:
        if is_aggregate(node):
            return change(node)
        for key, child in list(node.args.items()):
            if isinstance(child, exp.Expr):
                node.set(key, step(child))
            elif isinstance(child, list):
                node.set(key, [step(c) if isinstance(c, exp.Expr) else c for c in child])
        return node

    out = step(value.copy())
    assert isinstance(out, exp.Expression)
    return out


def is_aggregate(node: exp.Expr) -> TypeGuard[exp.Expression]:
    """Whether a node is a whole aggregate call, its FILTER and WITHIN GROUP included."""
    if isinstance(node, exp.Filter | exp.WithinGroup | exp.IgnoreNulls):
        return True
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower().startswith("spl_agg_")
    return isinstance(node, exp.AggFunc)


def call_aggregate(name: str, *arguments: exp.Expression) -> exp.Expression:
    """One of the engines' own aggregates."""
    return prelude_call(f"spl_agg_{name}", *arguments)


def _numbers(node: Callable[..., exp.Expression], finish: str) -> AggregateBuilder:
    """An aggregate over numbers; values that are none are left out."""

    def build(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
        assert arg is not None
        if arg.type is _LIST:
            return Typed(_over_values(arg, finish), _NUMBER)
        return Typed(node(this=as_number(arg)), _NUMBER)

    return build


def _over_values(arg: Typed, finish: str) -> exp.Expression:
    """A function of the list of all numbers of a multivalue argument."""
    return prelude_call(f"spl_list_{finish}", call_aggregate("flatten", arg.sql))


def _count(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
    if arg is None:
        return Typed(count_rows(), _INTEGER)
    if arg.type is FieldType.BOOLEAN:
        return Typed(call_aggregate("count_if", arg.sql), _INTEGER)
    if arg.type is _LIST:
        total = sum_values(prelude_call("spl_len", arg.sql))
        counted = coalesce(total, literal_integer(0))
        return Typed(cast_to(counted, _INTEGER), _INTEGER)
    return Typed(count_values(arg.sql), _INTEGER)


def _distinct_values(arg: Typed) -> exp.Expression:
    if arg.type is _LIST:
        # Rows of one detection, or of one asset, have the same values: each list counts once.
        return prelude_call("spl_list_values", call_aggregate("distinct_lists", arg.sql))
    return prelude_call("spl_sorted", call_aggregate("distinct", as_text(arg)))


def _distinct_count(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
    assert arg is not None
    if arg.type is _LIST:
        counted = coalesce(prelude_call("spl_len", _distinct_values(arg)), literal_integer(0))
        return Typed(cast_to(counted, _INTEGER), _INTEGER)
    return Typed(count_values(exp.Distinct(expressions=[arg.sql])), _INTEGER)


def _values(arg: Typed | None, _: Typed | None, params: Params) -> Typed:
    assert arg is not None
    found = _distinct_values(arg)
    if params.limit is not None:
        found = prelude_call("spl_first_values", found, literal_integer(params.limit))
    return Typed(found, _LIST)


def _list(arg: Typed | None, _: Typed | None, params: Params) -> Typed:
    assert arg is not None
    limit = literal_integer(LIST_LIMIT if params.limit is None else params.limit)
    if arg.type is _LIST:
        lists = call_aggregate("flatten_ordered", arg.sql, _order(params))
        gathered = prelude_call("spl_flat", lists)
    else:
        gathered = call_aggregate("list_ordered", as_text(arg), _order(params))
    return Typed(prelude_call("spl_first_values", gathered, limit), _LIST)


def _order(params: Params) -> exp.Expression:
    return literal_integer(0) if params.order is None else params.order.copy()


def _extreme(name: str, node: Callable[..., exp.Expression]) -> AggregateBuilder:
    """``min``/``max``: by number where all values are numbers, else by text."""

    def build(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
        assert arg is not None
        if arg.type in NUMERIC:
            return Typed(node(this=arg.sql), arg.type)
        if arg.type is _LIST:
            return Typed(_over_values(arg, name), _STRING)
        text = as_text(arg)
        number = prelude_call("spl_num", text.copy())
        all_numbers = equal(count_values(text), count_values(number))
        by_number = (all_numbers, prelude_call("spl_text", node(this=number.copy())))
        return Typed(case_when(by_number, otherwise=node(this=text.copy())), _STRING)

    return build


def _range(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
    assert arg is not None
    if arg.type is _LIST:
        return Typed(_over_values(arg, "range"), _NUMBER)
    value = as_number(arg)
    return Typed(minus(greatest_value(value), least_value(value.copy())), _NUMBER)


def _sumsq(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
    assert arg is not None
    if arg.type is _LIST:
        return Typed(_over_values(arg, "sumsq"), _NUMBER)
    value = parenthesise(as_number(arg))
    return Typed(sum_values(times(value, value.copy())), _NUMBER)


def _spread(name: str, node: Callable[..., exp.Expression]) -> AggregateBuilder:
    """Sample deviation and variance: 0 for a single value, as in Splunk."""

    def build(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
        assert arg is not None
        if arg.type is _LIST:
            return Typed(_over_values(arg, name), _NUMBER)
        value = as_number(arg)
        if name.endswith("p"):
            return Typed(node(this=value), _NUMBER)
        some = more_than(count_values(value.copy()), literal_integer(0))
        zero = case_when((some, literal_number(0)))
        return Typed(coalesce(node(this=value), zero), _NUMBER)

    return build


def _median(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
    """The middle value; of two middle ones the higher."""
    assert arg is not None
    if arg.type is _LIST:
        return Typed(_over_values(arg, "median"), _NUMBER)
    falling = negative(as_number(arg))
    lower = call_aggregate("percentile", falling, literal_number(0.5))
    return Typed(negative(lower), _NUMBER)


def _percentile(name: str) -> AggregateBuilder:
    """Nearest rank, as Splunk does below 1,000 distinct values; exact above, too."""

    def build(arg: Typed | None, _: Typed | None, params: Params) -> Typed:
        assert arg is not None
        if params.percent is None:
            raise EscudoError("SPL201", "the percentile is part of the name: perc95(field)")
        fraction = literal_number(params.percent / 100)
        if arg.type is _LIST:
            values = call_aggregate("flatten", arg.sql)
            return Typed(prelude_call(f"spl_list_{name}", values, fraction), _NUMBER)
        return Typed(call_aggregate(name, as_number(arg), fraction), _NUMBER)

    return build


def _mode(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
    assert arg is not None
    if arg.type is _LIST:
        return Typed(prelude_call("spl_list_mode", call_aggregate("flatten", arg.sql)), _STRING)
    if arg.type in NUMERIC:
        return Typed(call_aggregate("mode", arg.sql), arg.type)
    return Typed(call_aggregate("mode", as_text(arg)), _STRING)


def _estdc_error(arg: Typed | None, _: Typed | None, __: Params) -> Typed:
    """The theoretical error of the estimate; counts are exact here, so there is none."""
    assert arg is not None
    counted = count_values(arg.sql)
    return Typed(times(counted, literal_number(0)), _NUMBER)


def _event(name: str) -> AggregateBuilder:
    """``first``/``last`` by order of arrival; only events that have the field count."""

    def build(arg: Typed | None, _: Typed | None, params: Params) -> Typed:
        assert arg is not None
        node = exp.ArgMin if name == "first" else exp.ArgMax
        if params.order is None:
            return Typed(call_aggregate(name, arg.sql), arg.type)
        return Typed(node(this=arg.sql, expression=_present(params.order.copy(), arg)), arg.type)

    return build


def _present(key: exp.Expression, arg: Typed) -> exp.Expression:
    """A key that is null where the value is, so that such events do not take part."""
    return case_when((has_value(parenthesise(arg.sql.copy())), key))


def _by_time(node: Callable[..., exp.Expression]) -> AggregateBuilder:
    """``earliest``/``latest``: the value of the event with the least or greatest ``_time``."""

    def build(arg: Typed | None, time: Typed | None, _: Params) -> Typed:
        assert arg is not None
        if time is None:
            return null_value(arg.type)
        key = _present(time.sql.copy(), arg)
        return Typed(node(this=arg.sql, expression=key), arg.type)

    return build


def _time_of(node: Callable[..., exp.Expression]) -> AggregateBuilder:
    """``earliest_time``/``latest_time``: when the field had its first or last value."""

    def build(arg: Typed | None, time: Typed | None, _: Params) -> Typed:
        assert arg is not None
        if time is None:
            return null_value(_NUMBER)
        return Typed(node(this=_present(time.sql.copy(), arg)), _NUMBER)

    return build


def _rate(arg: Typed | None, time: Typed | None, _: Params) -> Typed:
    """(latest - earliest value) / (latest - earliest time)."""
    assert arg is not None
    if time is None:
        return null_value(_NUMBER)
    value = Typed(as_number(arg), _NUMBER)
    ends = [
        node(this=value.sql.copy(), expression=_present(time.sql.copy(), value))
        for node in (exp.ArgMax, exp.ArgMin)
    ]
    latest, earliest = (node(this=_present(time.sql.copy(), value)) for node in (exp.Max, exp.Min))
    rise = in_parentheses(minus(ends[0], ends[1]))
    span = null_if(minus(latest, earliest), literal_number(0))
    return Typed(divided_by(rise, span), _NUMBER)


def _per(seconds: int) -> AggregateBuilder:
    """``per_*`` of ``timechart``: the sum, scaled to the unit by the command's span.

    ``Params.percent`` carries the bucket's width in seconds.
    """

    def build(arg: Typed | None, _: Typed | None, params: Params) -> Typed:
        assert arg is not None
        total = sum_values(as_number(arg))
        width = params.percent if params.percent else float(seconds)
        return Typed(times(total, literal_number(seconds / width)), _NUMBER)

    return build


def _stat(name: str, result: str, build: AggregateBuilder, page: str = _AGGREGATE) -> StatsFunction:
    return StatsFunction(name, result, build, page)


def _named(name: str, result: str, build: AggregateBuilder) -> StatsFunction:
    return StatsFunction(name, result, build, _AGGREGATE, takes_number=True)


def _timed(name: str, result: str, build: AggregateBuilder) -> StatsFunction:
    return StatsFunction(name, result, build, _TIME, needs_time=True)


_SUM = _numbers(exp.Sum, "sum")
_AVG = _numbers(exp.Avg, "avg")

STATISTICS = (
    _stat("avg", "number", _AVG),
    _stat("mean", "number", _AVG),
    StatsFunction("count", "integer", _count, _AGGREGATE, needs_argument=False),
    StatsFunction("c", "integer", _count, _AGGREGATE, needs_argument=False),
    _stat("distinct_count", "integer", _distinct_count),
    _stat("dc", "integer", _distinct_count),
    _stat("estdc", "integer", _distinct_count),
    _stat("estdc_error", "number", _estdc_error),
    _named("exactperc", "number", _percentile("percentile")),
    _stat("max", "that of the values", _extreme("max", exp.Max)),
    _stat("median", "number", _median),
    _stat("min", "that of the values", _extreme("min", exp.Min)),
    _stat("mode", "that of the values", _mode),
    _named("perc", "number", _percentile("percentile")),
    _named("p", "number", _percentile("percentile")),
    _named("upperperc", "number", _percentile("upper_percentile")),
    _stat("range", "number", _range),
    _stat("stdev", "number", _spread("stdev", exp.StddevSamp)),
    _stat("stdevp", "number", _spread("stdevp", exp.StddevPop)),
    _stat("var", "number", _spread("var", exp.Variance)),
    _stat("varp", "number", _spread("varp", exp.VariancePop)),
    _stat("sum", "number", _SUM),
    _stat("sumsq", "number", _sumsq),
    _stat("first", "that of the values", _event("first"), _ORDER),
    _stat("last", "that of the values", _event("last"), _ORDER),
    _stat("list", "multivalue", _list, _MULTIVALUE),
    _stat("values", "multivalue", _values, _MULTIVALUE),
    _timed("earliest", "that of the values", _by_time(exp.ArgMin)),
    _timed("earliest_time", "number", _time_of(exp.Min)),
    _timed("latest", "that of the values", _by_time(exp.ArgMax)),
    _timed("latest_time", "number", _time_of(exp.Max)),
    _stat("per_day", "number", _per(86400), _TIME),
    _stat("per_hour", "number", _per(3600), _TIME),
    _stat("per_minute", "number", _per(60), _TIME),
    _stat("per_second", "number", _per(1), _TIME),
    _timed("rate", "number", _rate),
)
