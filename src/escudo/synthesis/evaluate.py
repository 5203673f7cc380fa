"""An expression or a condition, the fields of an event -> its value; solver and model call it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from escudo.spl import (
    Binary,
    Call,
    EvalExpr,
    FieldRef,
    Literal,
    SubsearchText,
    Unary,
    translate,
)
from escudo.spl import Value as Wanted
from escudo.synthesis.functions import FUNCTIONS, UnknownValueError, compile_pattern
from escudo.synthesis.values import (
    NETWORK,
    Value,
    compare,
    is_in_network,
    number_of,
    text_of,
    texts_of,
    wildcard_regex,
)

_CLASSIC = "wineventlog:"


def _no_lookup(expr: Call, scope: Scope) -> Value:
    raise UnknownValueError("a lookup")


@dataclass(frozen=True)
class Scope:
    """What an expression reads: fields by name, and the clock (epoch seconds)."""

    field: Callable[[str], Value]
    now: float = 0.0
    lookup: Callable[[Call, Scope], Value] = _no_lookup


def evaluate(expr: EvalExpr, scope: Scope) -> Value:
    """The value of an eval expression.

    Raises:
        UnknownValueError: it calls what is not known here.
    """
    match expr:
        case Literal(value):
            return value
        case FieldRef(name):
            return scope.field(name)
        case Unary("NOT", operand):
            held = truth(evaluate(operand, scope))
            return None if held is None else not held
        case Unary(op, operand):
            number = number_of(evaluate(operand, scope))
            return None if number is None else (-number if op == "-" else number)
        case Binary():
            return _binary(expr, scope)
        case Call():
            return _call(expr, scope)
        case SubsearchText():
            raise UnknownValueError("a subsearch in an expression")
    raise UnknownValueError(type(expr).__name__)


def truth(value: Value) -> bool | None:
    """A value as a condition; a text or a number is none."""
    return value if isinstance(value, bool) or value is None else None


def _binary(expr: Binary, scope: Scope) -> Value:
    if expr.op in ("AND", "OR", "XOR"):
        return _connect(expr, scope)
    left, right = evaluate(expr.left, scope), evaluate(expr.right, scope)
    match expr.op:
        case "LIKE":
            return FUNCTIONS["like"](left, right)
        case ".":
            first, second = text_of(left), text_of(right)
            return None if first is None or second is None else first + second
        case "+" if number_of(left) is None or number_of(right) is None:
            if isinstance(left, str) and isinstance(right, str):
                return left + right
            return None
        case "+" | "-" | "*" | "/" | "%":
            return _calculate(expr.op, number_of(left), number_of(right))
    return compare(expr.op, left, right)


def _connect(expr: Binary, scope: Scope) -> Value:
    left = truth(evaluate(expr.left, scope))
    if expr.op == "AND" and left is False:
        return False
    if expr.op == "OR" and left is True:
        return True
    right = truth(evaluate(expr.right, scope))
    if expr.op == "AND":
        return False if right is False else None if left is None or right is None else True
    if expr.op == "OR":
        return True if right is True else None if left is None or right is None else False
    return None if left is None or right is None else left != right


def _calculate(op: str, left: float | None, right: float | None) -> Value:
    if left is None or right is None:
        return None
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    if right == 0:
        return None
    return left / right if op == "/" else math.fmod(left, right)


def _call(expr: Call, scope: Scope) -> Value:
    args = expr.args
    match expr.name:
        case "if":
            held = truth(evaluate(args[0], scope))
            return evaluate(args[1] if held else args[2], scope)
        case "case":
            for condition, value in zip(args[::2], args[1::2], strict=False):
                if truth(evaluate(condition, scope)):
                    return evaluate(value, scope)
            return None
        case "coalesce":
            values = (evaluate(a, scope) for a in args)
            return next((v for v in values if v is not None), None)
        case "in":
            wanted = evaluate(args[0], scope)
            held_of = [compare("=", wanted, evaluate(a, scope)) for a in args[1:]]
            return None if wanted is None else any(held_of)
        case "now" | "time":
            return scope.now
        case "searchmatch":
            raise UnknownValueError("searchmatch()")
        case "mvfilter" | "mvmap":
            return _each_value(expr, scope)
        case "rex":
            return _extract(expr, scope)
        case "values_of" | "kept":
            return evaluate(args[1], scope)
        case "lookup":
            return scope.lookup(expr, scope)
        case name if name in FUNCTIONS:
            try:
                return FUNCTIONS[name](*(evaluate(a, scope) for a in args))
            except TypeError as error:
                raise UnknownValueError(f"{name}(): {error}") from error
    raise UnknownValueError(f"{expr.name}()")


def _each_value(expr: Call, scope: Scope) -> Value:
    """``mvfilter`` and ``mvmap``: an expression of each value of the field that it names."""
    body = expr.args[0] if expr.name == "mvfilter" else expr.args[1]
    names = [n.name for n in expr.walk() if isinstance(n, FieldRef)]
    if not names:
        raise UnknownValueError(f"{expr.name}() of no field")
    over = names[0]
    out: list[str] = []
    for text in texts_of(scope.field(over)):

        def read(name: str, text: str = text) -> Value:
            return text if name == over else scope.field(name)

        value = evaluate(body, Scope(read, scope.now, scope.lookup))
        if expr.name == "mvfilter":
            out += [text] if value is True else []
        else:
            out += texts_of(value)
    return out or None


def _extract(expr: Call, scope: Scope) -> Value:
    """``rex(field, pattern, group)``: what ``rex`` makes of a field, its first match."""
    text = text_of(evaluate(expr.args[0], scope))
    pattern, group = (str(a.value) for a in expr.args[1:3] if isinstance(a, Literal))
    if text is None:
        return None
    found = compile_pattern(pattern).search(text)
    return None if found is None else found[translate(pattern).names()[group]]


def value_matches(
    read: Value, op: str, value: Wanted, *, name: str = "", cidr: bool = True
) -> bool:
    """Whether a field meets ``field op value``; null meets none, and any of several values may."""
    texts = texts_of(read)
    if op in ("<", "<=", ">", ">="):
        return any(compare(op, text, value.text) is True for text in texts)
    if op == "!=":
        return any(not _equals(t, value, name=name, cidr=cidr) for t in texts)
    return any(_equals(t, value, name=name, cidr=cidr) for t in texts)


def _equals(text: str, value: Wanted, *, name: str, cidr: bool) -> bool:
    if cidr and NETWORK.fullmatch(value.text):
        return is_in_network(text, value.text)
    wanted = value.text
    if name in ("source", "sourcetype") and wanted.lower().startswith(_CLASSIC):
        rendered = wildcard_regex(f"xml{wanted}", case=value.exact_case)
        if name == "source" and rendered.fullmatch(text):
            return True
    return wildcard_regex(wanted, case=value.exact_case).fullmatch(text) is not None


def term_matches(raw: Value, value: Wanted) -> bool:
    """Whether a bare term or a phrase is in ``_raw``, bounded by what is no letter or digit."""
    body = ".*".join(re.escape(part) for part in value.text.split("*"))
    left = "" if value.text.startswith("*") else r"(?<![A-Za-z0-9])"
    right = "" if value.text.endswith("*") else r"(?![A-Za-z0-9])"
    flags = 0 if value.exact_case else re.IGNORECASE
    pattern = re.compile(f"{left}{body}{right}", flags | re.DOTALL)
    return any(pattern.search(text) is not None for text in texts_of(raw))


def pattern_matches(read: Value, pattern: str) -> bool:
    """Whether the command ``regex`` finds its pattern in a field."""
    compiled = compile_pattern(pattern)
    return any(compiled.search(text) is not None for text in texts_of(read))
