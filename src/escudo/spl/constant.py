"""Eval expression of constants -> its value: the definitions of eval-based macros."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from escudo.core.errors import EscudoError
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal, SubsearchText, Unary

Constant = str | int | float | bool | None


def constant_text(expr: EvalExpr) -> str:
    """The text that the definition of an eval-based macro yields.

    >>> from escudo.spl.syntax.parse_eval import parse_eval
    >>> constant_text(parse_eval('if("7" > 5, "index=" . "main", "x")'))
    'index=main'
    """
    value = _value(expr)
    if value is None:
        raise EscudoError("SPL113", "its definition gives null")
    return _text(value)


def _value(expr: EvalExpr) -> Constant:
    match expr:
        case Literal(value):
            return value
        case Unary("NOT", operand):
            inner = _value(operand)
            return None if inner is None else not inner
        case Unary(op, operand):
            number = _number(_value(operand))
            return None if number is None else (-number if op == "-" else number)
        case Binary(op, left, right):
            return _binary(op, _value(left), _value(right))
        case Call(name, args) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(a) for a in args))
        case Call(name):
            raise EscudoError(
                "SPL113",
                f"{name}() is not available in a definition",
                hint=f"available: {', '.join(sorted(_FUNCTIONS))}",
            )
        case SubsearchText():
            raise EscudoError("SPL113", "its definition has a subsearch")
        case FieldRef(name):
            raise EscudoError("SPL113", f"its definition reads field '{name}'")


def _number(value: Constant) -> int | float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


def _text(value: Constant) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return f"{value:.15g}"
    return "" if value is None else str(value)


def _binary(op: str, left: Constant, right: Constant) -> Constant:
    if op in ("AND", "OR", "XOR"):
        a, b = bool(left), bool(right)
        return {"AND": a and b, "OR": a or b, "XOR": a != b}[op]
    if left is None or right is None:
        return None
    x, y = _number(left), _number(right)
    if op == ".":
        return _text(left) + _text(right)
    if op == "LIKE":
        pattern = "".join(
            ".*" if c == "%" else "." if c == "_" else re.escape(c) for c in _text(right)
        )
        return re.fullmatch(pattern, _text(left), re.DOTALL) is not None
    if op in ("=", "==", "!=", "<", ">", "<=", ">="):
        return _compare(op, left, right, x, y)
    if op == "+" and (x is None or y is None):
        return (
            _text(left) + _text(right) if isinstance(left, str) and isinstance(right, str) else None
        )
    if x is None or y is None or (op in "/%" and y == 0):
        return None
    return (
        {"+": x + y, "-": x - y, "*": x * y}[op] if op in "+-*" else x / y if op == "/" else x % y
    )


def _compare(op: str, left: Constant, right: Constant, x: float | None, y: float | None) -> bool:
    if x is not None and y is not None:
        order = (x > y) - (x < y)
    else:
        a, b = _text(left), _text(right)
        order = (a > b) - (a < b)
    return {
        "=": order == 0,
        "==": order == 0,
        "!=": order != 0,
        "<": order < 0,
        ">": order > 0,
        "<=": order <= 0,
        ">=": order >= 0,
    }[op]


def _if(condition: Constant, yes: Constant, no: Constant) -> Constant:
    return yes if condition else no


def _case(*args: Constant) -> Constant:
    return next((v for c, v in zip(args[::2], args[1::2], strict=True) if c), None)


def _coalesce(*args: Constant) -> Constant:
    return next((a for a in args if a is not None), None)


def _map(value: Constant, function: Callable[[float], float]) -> Constant:
    number = _number(value)
    return None if number is None else function(number)


def _substring(text: str, start: int, length: Constant) -> str:
    """From ``start``, which counts from 1, or from the end where it is negative."""
    begin = start - 1 if start > 0 else max(0, len(text) + start)
    size = _number(length)
    return text[begin:] if size is None else text[begin : begin + int(size)]


_FUNCTIONS: Mapping[str, Callable[..., Constant]] = {
    "if": _if,
    "case": _case,
    "coalesce": _coalesce,
    "true": lambda: True,
    "false": lambda: False,
    "null": lambda: None,
    "isnull": lambda x: x is None,
    "isnotnull": lambda x: x is not None,
    "isnum": lambda x: _number(x) is not None,
    "isint": lambda x: isinstance(_number(x), int),
    "isstr": lambda x: isinstance(x, str) and _number(x) is None,
    "len": lambda x: len(_text(x)),
    "lower": lambda x: _text(x).lower(),
    "upper": lambda x: _text(x).upper(),
    "trim": lambda x: _text(x).strip(),
    "match": lambda x, pattern: re.search(_text(pattern), _text(x)) is not None,
    "replace": lambda x, pattern, by: re.sub(_text(pattern), _text(by), _text(x)),
    "abs": lambda x: _map(x, abs),
    "ceiling": lambda x: _map(x, math.ceil),
    "floor": lambda x: _map(x, math.floor),
    "nullif": lambda x, y: None if _compare("=", x, y, _number(x), _number(y)) else x,
    "round": lambda x, digits=0: _map(x, lambda n: round(n, int(digits)) if digits else round(n)),
    "substr": lambda x, start, length=None: _substring(_text(x), int(start), length),
    "tonumber": lambda x: _number(x),
    "tostring": lambda x: _text(x),
    "in": lambda x, *values: any(_compare("=", x, v, _number(x), _number(v)) for v in values),
}
