"""Search expression -> the time range to read, and what is left; ``search`` and ``tstats`` ask.

Modifiers in the search replace the time range given from outside (Search Manual, time modifiers:
they override the time range picker for that part of the search).
"""

from __future__ import annotations

from escudo.core.timerange import TimeRange
from escudo.spl.binding.binder import Binder
from escudo.spl.relation.time_modifiers import is_index_time, time_range
from escudo.spl.syntax.ast import And, SearchExpr, TimeModifier


def time_bounds(expr: SearchExpr, binder: Binder) -> tuple[SearchExpr, TimeRange]:
    """The expression without its outermost time modifiers, and the range to read."""
    rest, modifiers = split_modifiers(expr)
    # Not binder.now: the range says what is read, no condition depends on it.
    if not modifiers:
        return rest, binder.within
    return rest, time_range(modifiers, binder.clock.time, binder.zone)


def split_modifiers(expr: SearchExpr) -> tuple[SearchExpr, tuple[TimeModifier, ...]]:
    """Time modifiers that hold for the whole expression, taken out of its ANDs.

    Those of the time of indexing stay: they are conditions like any other.

    >>> from escudo.spl.syntax.parse_search import parse_search
    >>> rest, found = split_modifiers(parse_search("a earliest=-1d (b latest=now)"))
    >>> [m.name for m in found], len(rest.operands)
    (['earliest', 'latest'], 2)
    """
    match expr:
        case TimeModifier() if not is_index_time(expr):
            return And(()), (expr,)
        case And(operands):
            kept: list[SearchExpr] = []
            found: list[TimeModifier] = []
            for operand in operands:
                inner, modifiers = split_modifiers(operand)
                found += modifiers
                if not modifiers or inner != And(()):
                    kept.append(inner)
            if not found:
                return expr, ()
            rest = kept[0] if len(kept) == 1 else And(tuple(kept), span=expr.span)
            return rest, tuple(found)
        case _:
            return expr, ()
