"""Mathematical, trigonometric, bitwise and statistical eval functions.

(Search Reference, MathematicalFunctions, TrigonometryFunctions, BitwiseFunctions,
StatisticalFunctions.)
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.functions.row import Builder, Context, EvalFunction, Nulls, number_to, typed_call
from escudo.spl.relation.coercion import as_integer, as_list, as_number, as_text
from escudo.spl.relation.sql import (
    list_of,
    literal_integer,
    literal_number,
    parenthesise,
    prelude_call,
)
from escudo.spl.relation.values import NUMERIC, Typed, is_null, null_value, number_value

_MATH = "MathematicalFunctions"
_TRIG = "TrigonometryFunctions"
_BITS = "BitwiseFunctions"
_STATS = "StatisticalFunctions"
_NUMBER = FieldType.NUMBER
_INTEGER = FieldType.INTEGER


def _number(sql: exp.Expression) -> Typed:
    return Typed(sql, _NUMBER)


def _log(args: list[Typed], _: Context) -> Typed:
    base = as_number(args[1]) if len(args) > 1 else literal_number(10)
    return _number(prelude_call("spl_log", as_number(args[0]), base))


def _round(args: list[Typed], _: Context) -> Typed:
    places = as_integer(args[1]) if len(args) > 1 else literal_integer(0)
    return _number(prelude_call("spl_round", as_number(args[0]), places))


def _random(_: list[Typed], __: Context) -> Typed:
    return Typed(prelude_call("spl_random"), _INTEGER)


def _all_values(args: list[Typed]) -> exp.Expression:
    """The values of all arguments as one list of text, nulls left out."""
    if len(args) > 1 and all(a.type is not FieldType.MULTIVALUE for a in args):
        return prelude_call("spl_values", list_of([as_text(a) for a in args]))
    first, *others = (as_list(a) for a in args if not is_null(a))
    for other in others:
        first = prelude_call("spl_append", first, other)
    return first


def _extreme(name: str, node: Callable[..., exp.Expression]) -> Builder:
    """``max``/``min``: text is greater than any number; multivalues count value by value."""

    def build(args: list[Typed], _: Context) -> Typed:
        known = [a for a in args if not is_null(a)]
        if not known:
            return null_value()
        if all(a.type in NUMERIC for a in known):
            first, *others = map(as_number, known)
            if not others:
                return _number(first)
            return _number(node(this=first, expressions=others, ignore_nulls=True))
        return Typed(prelude_call(f"spl_{name}", _all_values(known)), FieldType.STRING)

    return build


def _total(name: str) -> Builder:
    """``sum``/``avg`` of the numeric values of the arguments."""

    def build(args: list[Typed], _: Context) -> Typed:
        known = [a for a in args if not is_null(a)]
        if not known:
            return null_value(_NUMBER)
        return _number(prelude_call(f"spl_{name}", _all_values(known)))

    return build


def _math(
    name: str, prelude: str | None = None, *, page: str = _MATH, takes: int = 1
) -> EvalFunction:
    build = number_to(_NUMBER, prelude or f"spl_{name}")
    return EvalFunction(name, takes, takes, "number", build, page)


def _bits(name: str, node: Callable[..., exp.Expression]) -> EvalFunction:
    def build(args: list[Typed], _: Context) -> Typed:
        first, *others = (parenthesise(as_integer(a)) for a in args)
        for other in others:
            first = node(this=first, expression=other)
        return Typed(first, _INTEGER)

    return EvalFunction(name, 2, None, "integer", build, _BITS)


def _bit_xor(args: list[Typed], _: Context) -> Typed:
    first, *others = map(as_integer, args)
    for other in others:
        first = prelude_call("spl_xor", first, other)
    return Typed(first, _INTEGER)


def _bit_not(args: list[Typed], _: Context) -> Typed:
    flipped: exp.Expression = exp.BitwiseNot(this=parenthesise(as_integer(args[0])))
    if len(args) > 1:
        mask = parenthesise(as_integer(args[1]))
        flipped = exp.BitwiseAnd(this=flipped, expression=mask)
    return Typed(flipped, _INTEGER)


def _absolute(args: list[Typed], _: Context) -> Typed:
    return _number(exp.Abs(this=as_number(args[0])))


def _identity(args: list[Typed], _: Context) -> Typed:
    return _number(as_number(args[0]))


MATHS = (
    EvalFunction("abs", 1, 1, "number", _absolute, _MATH),
    _math("ceiling"),
    _math("ceil", "spl_ceiling"),
    EvalFunction("exact", 1, 1, "number", _identity, _MATH),
    _math("exp"),
    _math("floor"),
    _math("ln"),
    EvalFunction("log", 1, 2, "number", _log, _MATH),
    EvalFunction("pi", 0, 0, "number", lambda *_: number_value(math.pi), _MATH),
    _math("pow", takes=2),
    EvalFunction("round", 1, 2, "number", _round, _MATH),
    _math("sigfig"),
    _math("sqrt"),
    EvalFunction("sum", 1, None, "number", _total("sum"), _MATH, Nulls.SKIP),
    *(
        _math(name, page=_TRIG)
        for name in (
            *("acos", "acosh", "asin", "asinh", "atan", "atanh"),
            *("cos", "cosh", "sin", "sinh", "tan", "tanh"),
        )
    ),
    _math("atan2", page=_TRIG, takes=2),
    _math("hypot", page=_TRIG, takes=2),
    _bits("bit_and", exp.BitwiseAnd),
    EvalFunction("bit_not", 1, 2, "integer", _bit_not, _BITS),
    _bits("bit_or", exp.BitwiseOr),
    EvalFunction(
        "bit_shift_left",
        2,
        2,
        "integer",
        typed_call(_INTEGER, "spl_shift_left", _INTEGER, _INTEGER),
        _BITS,
    ),
    EvalFunction(
        "bit_shift_right",
        2,
        2,
        "integer",
        typed_call(_INTEGER, "spl_shift_right", _INTEGER, _INTEGER),
        _BITS,
    ),
    EvalFunction("bit_xor", 2, None, "integer", _bit_xor, _BITS),
    EvalFunction("avg", 1, None, "number", _total("avg"), _STATS, Nulls.SKIP),
    EvalFunction(
        "max", 1, None, "that of the values", _extreme("max", exp.Greatest), _STATS, Nulls.SKIP
    ),
    EvalFunction(
        "min", 1, None, "that of the values", _extreme("min", exp.Least), _STATS, Nulls.SKIP
    ),
    EvalFunction("random", 0, 0, "integer", _random, _STATS, Nulls.OWN),
)
