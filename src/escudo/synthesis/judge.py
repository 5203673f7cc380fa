"""A condition, the fields of events -> whether it holds; the checks of solutions call it."""

from __future__ import annotations

from escudo.spl import Call
from escudo.synthesis.conditions import (
    OPEN,
    All,
    Condition,
    Found,
    Holds,
    InRaw,
    Matches,
    Opposite,
    Present,
    Some,
    expressions_in,
)
from escudo.synthesis.evaluate import (
    Scope,
    evaluate,
    pattern_matches,
    term_matches,
    value_matches,
)
from escudo.synthesis.functions import UnknownValueError


def holds(condition: Condition, scope: Scope) -> bool:
    """Whether a condition holds; null counts as no.

    Raises:
        UnknownValueError: that cannot be told.
    """
    match condition:
        case All(parts):
            return _all(parts, scope, wanted=True)
        case Some(parts):
            return not _all(parts, scope, wanted=False)
        case Opposite(part):
            return not holds(part, scope)
        case Holds(expr):
            return evaluate(expr, scope) is True
        case Present(expr):
            return evaluate(expr, scope) is not None
        case Matches(expr, op, value, name, cidr):
            return value_matches(evaluate(expr, scope), op, value, name=name, cidr=cidr)
        case InRaw(expr, value):
            return term_matches(evaluate(expr, scope), value)
        case Found(expr, pattern):
            return pattern_matches(evaluate(expr, scope), pattern)


def _all(parts: tuple[Condition, ...], scope: Scope, *, wanted: bool) -> bool:
    """Whether all parts are as wanted; a part that cannot be told matters only if the others are
    not enough to tell."""
    unknown: UnknownValueError | None = None
    for part in parts:
        try:
            if holds(part, scope) != wanted:
                return False
        except UnknownValueError as error:
            unknown = error
    if unknown is not None:
        raise unknown
    return True


def mentions_open(condition: Condition) -> bool:
    """Whether a condition is about statistics that one event does not tell."""
    return any(
        isinstance(node, Call) and node.name == OPEN
        for expr in expressions_in(condition)
        for node in expr.walk()
    )
