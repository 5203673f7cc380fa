"""What a search asks of events that none was found for -> why; ``scenario`` calls it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from escudo.spl import EvalExpr, FieldRef
from escudo.synthesis.asked import Asked, Walk
from escudo.synthesis.conditions import (
    All,
    Condition,
    Matches,
    Opposite,
    Some,
    expressions_in,
    split_role,
)
from escudo.synthesis.evaluate import Scope
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.judge import holds
from escudo.synthesis.kinds import SOURCETYPE

_CALLED = frozenset({"source", "sourcetype", "index", "eventtype"})


def explain_unsolved(walk: Walk) -> tuple[str, bool]:
    """Why there is no event of the kinds of a walk, and whether that is since events of these kinds
    are called otherwise than the search asks."""
    stranger = next(find_strangers(walk), None)
    if stranger is not None:
        return f"no source that can be written has {stranger.text}", True
    kinds = " and ".join(kind.name for kind in walk.kinds.values())
    return f"no event of {kinds} was found that meets all conditions", False


def find_strangers(walk: Walk) -> Iterator[Asked]:
    """The conditions that events of the kinds of a walk do not meet since they are called
    otherwise."""
    scope = Scope(partial(_read_label, walk))
    for asked in walk.asked:
        names = set(_compared_names(asked.condition))
        if not names or not names <= _CALLED or _reads_events(asked.condition):
            continue
        try:
            held = holds(asked.condition, scope)
        except UnknownValueError:
            continue
        if not held:
            yield asked


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
    """Whether an expression reads fields of events beside what they are called."""
    fields = (node.name for node in expr.walk() if isinstance(node, FieldRef))
    return any(split_role(name)[1] != SOURCETYPE for name in fields)


def _read_label(walk: Walk, name: str) -> str | None:
    role, plain = split_role(name)
    return walk.kinds[role].default(None).get(plain) if plain == SOURCETYPE else None
