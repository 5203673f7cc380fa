"""What a search asks of events that none was found for -> why; ``scenario`` calls it."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.spl import EvalExpr, FieldRef
from escudo.synthesis.asked import Walk
from escudo.synthesis.conditions import (
    All,
    Condition,
    Matches,
    Opposite,
    Some,
    expressions_in,
)
from escudo.synthesis.evaluate import Scope
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.judge import holds

_CALLED = frozenset({"source", "sourcetype", "index", "eventtype"})


def explain_unsolved(walk: Walk) -> tuple[str, bool]:
    """Why there is no event of the kinds of a walk, and whether that is since events of these kinds
    are called otherwise than the search asks."""
    scope = Scope(lambda name: None)
    for asked in walk.asked:
        names = set(_compared_names(asked.condition))
        if not names or not names <= _CALLED or _reads_events(asked.condition):
            continue
        try:
            held = holds(asked.condition, scope)
        except UnknownValueError:
            continue
        if not held:
            return f"no source that can be written has {asked.text}", True
    kinds = " and ".join(kind.name for kind in walk.kinds.values())
    return f"no event of {kinds} was found that meets all conditions", False


def _reads_events(condition: Condition) -> bool:
    return any(_reads(expr) for expr in expressions_in(condition))


def _compared_names(condition: Condition) -> Iterator[str]:
    match condition:
        case All(parts) | Some(parts):
            for part in parts:
                yield from _compared_names(part)
        case Opposite(part):
            yield from _compared_names(part)
        case Matches(name=name):
            yield name
        case _:
            yield ""


def _reads(expr: EvalExpr) -> bool:
    return any(isinstance(node, FieldRef) for node in expr.walk())
