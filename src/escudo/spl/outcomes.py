"""What an eval expression can give, as far as its text tells."""

from __future__ import annotations

from collections.abc import Sequence

from escudo.spl.ast import Call, EvalExpr, Literal


def outcomes(expr: EvalExpr) -> frozenset[str] | None:
    """All texts that an expression can give, whatever the event; None if they are not known.

    A multivalue counts by its values, null is no text.

    >>> from escudo.spl.parse_eval import parse_eval
    >>> sorted(outcomes(parse_eval('case(a=1, "x", a=2, mvappend("y", "z"), true(), null())')))
    ['x', 'y', 'z']
    >>> outcomes(parse_eval('if(a=1, "x", a)')) is None
    True
    """
    match expr:
        case Literal(str() as text):
            return frozenset({text})
        case Call("null"):
            return frozenset()
        case Call("case", args):
            return _all(args[1::2])
        case Call("if", args):
            return _all(args[1:])
        case Call("coalesce" | "mvappend", args):
            return _all(args)
    return None


def _all(parts: Sequence[EvalExpr]) -> frozenset[str] | None:
    found = [outcomes(part) for part in parts]
    known = [f for f in found if f is not None]
    return frozenset().union(*known) if len(known) == len(found) else None
