"""How long ago a time was, in words: ``reltime``."""

from __future__ import annotations

from escudo.spl.ast import Binary, Call, EvalExpr, FieldRef, Literal

_UNITS = (
    ("second", 1.0, 60.0),
    ("minute", 60.0, 3600.0),
    ("hour", 3600.0, 86400.0),
    ("day", 86400.0, 2592000.0),
    ("month", 2592000.0, 31536000.0),
)
_YEAR = 31536000.0


def elapsed(name: str) -> EvalExpr:
    """``3 minutes ago`` for a field of epoch seconds, as an expression."""
    ago = Binary("-", Call("now", ()), FieldRef(name))
    cases: list[EvalExpr] = []
    for unit, width, end in _UNITS:
        cases += [Binary("<", ago, Literal(end)), _words(ago, unit, width)]
    cases += [Call("true", ()), _words(ago, "year", _YEAR)]
    known = Call("isnotnull", (FieldRef(name),))
    return Call("if", (known, Call("case", tuple(cases)), Call("null", ())))


def _words(ago: EvalExpr, unit: str, width: float) -> EvalExpr:
    number = Call("floor", (Binary("/", ago, Literal(width)),))
    plural = Call(
        "if",
        (Binary("==", number, Literal(1)), Literal(f" {unit} ago"), Literal(f" {unit}s ago")),
    )
    return Binary(".", number, plural)
