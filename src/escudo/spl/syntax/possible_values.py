"""Eval expression -> the texts that it can give; sources ask, so that tables can be left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from escudo.spl.syntax.ast import Call, EvalExpr, Literal
from escudo.spl.syntax.parse_eval import parse_eval

_PARTS: Mapping[str, slice] = {
    "null": slice(0),
    "case": slice(1, None, 2),
    "if": slice(1, None),
    "coalesce": slice(None),
    "mvappend": slice(None),
}
"""The functions that give one of their arguments, or some of them: which."""

_BEGINS = re.compile(rf'[\s(]*(?:"|(?:{"|".join(_PARTS)})\s*\()', re.IGNORECASE)


def possible_values_of(text: str) -> frozenset[str] | None:
    """``possible_values`` of an expression's text, which is parsed only if it can have any.

    >>> possible_values_of('if(a=1, "x", null())'), possible_values_of("lower(a)")
    (frozenset({'x'}), None)
    """
    return possible_values(parse_eval(text)) if _BEGINS.match(text) else None


def possible_values(expr: EvalExpr) -> frozenset[str] | None:
    """All texts that an expression can give, whatever the event; None if they are not known.

    A multivalue counts by its values, null is no text.

    >>> cases = 'case(a=1, "x", a=2, mvappend("y", "z"), true(), null())'
    >>> sorted(possible_values(parse_eval(cases)))
    ['x', 'y', 'z']
    >>> possible_values(parse_eval('if(a=1, "x", a)')) is None
    True
    """
    match expr:
        case Literal(str() as text):
            return frozenset({text})
        case Call(name, args) if name in _PARTS:
            return _all(args[_PARTS[name]])
    return None


def _all(parts: Sequence[EvalExpr]) -> frozenset[str] | None:
    found = [possible_values(part) for part in parts]
    known = [f for f in found if f is not None]
    return frozenset().union(*known) if len(known) == len(found) else None
