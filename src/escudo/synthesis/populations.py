"""What a search asks of the number of events -> how many are made, and what differs among them.

``scenario`` calls it. A statistic of one event is known, a count of several is not: this says which
numbers the conditions name (``count > 5``), and of which fields different values are counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from escudo.spl import Binary, Call, EvalExpr, FieldRef, Literal
from escudo.synthesis.asked import Asked, Grouping, Statistic, Walk
from escudo.synthesis.conditions import OPEN, Condition, Matches, Present, expressions_in
from escudo.synthesis.judge import mentions_open
from escudo.synthesis.values import number_of

MOST_EVENTS = 250
"""Events that a threshold may ask for; ESCU's largest is 200."""
_GUESSES = (2, 6, 31)
"""Numbers of events that are tried where the conditions name none."""
_OUTLIER_SIZE = 15
_BACKGROUND = 24
"""Groups of one event beside one of many: it is 4.8 standard deviations from the mean."""
_SPREAD = frozenset({"stdev", "stdevp", "var", "varp"})
_COUNTED = frozenset({"count", "dc", "values", "list", "estdc"})
_DISTINCT = _COUNTED - {"count"}


@dataclass(frozen=True)
class Plan:
    """``sizes``: numbers of events to try, the likeliest first. ``varied``: the fields in which
    they differ. ``pinned``: those in which they do not. ``present``: what is counted must be there.
    ``background``: groups of one event beside
    them, since the condition is about what is unusual."""

    sizes: tuple[int, ...]
    varied: frozenset[str]
    pinned: frozenset[str]
    present: tuple[Condition, ...] = ()
    background: int = 0
    bucket: float | None = None
    spread_over: frozenset[str] = frozenset()
    """The fields in which the groups of the background differ; without any, in their time."""


@dataclass(frozen=True)
class Shortage:
    """A condition that fewer events cannot meet: at most so many that it does not hold."""

    asked: Asked
    size: int


def plan_population(walk: Walk) -> Plan | None:
    """How many events a search asks for; None where one will do."""
    open_conditions = [a.condition for a in walk.asked if mentions_open(a.condition)]
    if not open_conditions:
        return None
    needs = [
        least
        for condition in open_conditions
        for number, least in _thresholds(condition)
        if walk.open_terms[number].function in _COUNTED
    ]
    spread = any(t.function in _SPREAD for t in walk.open_terms)
    pinned = find_keys(walk)
    alone = {n for c in open_conditions for n, number in _equals(c) if number == 1}
    single = [walk.open_terms[number] for number in alone]
    arguments = [
        t.argument
        for t in _mentioned(walk, open_conditions)
        if t.function in _DISTINCT and t.argument is not None and t not in single
    ]
    pinned |= {n for t in single if t.argument is not None for n in field_names(t.argument)}
    varied: set[str] = set()
    for argument in arguments:
        names = set(field_names(argument))
        varied |= (names - pinned) or names
    there = [*arguments, *(t.argument for t in single if t.argument is not None)]
    present = tuple(Present(a) for a in there)
    size = min(max(needs, default=0), MOST_EVENTS)
    if not spread:
        guesses = tuple(g for g in _GUESSES if g > size)
        sizes = (size, *guesses) if size > 1 else (1, *guesses)
        return Plan(sizes, frozenset(varied), pinned - varied, present)
    bucket = next((g.bucket for g in walk.groupings if g.bucket is not None), None)
    over = frozenset[str]() if bucket is not None else _background_key(walk.groupings)
    size = max(size, _OUTLIER_SIZE)
    return Plan(
        (size, size * 3),
        frozenset(varied - over),
        pinned - varied,
        present,
        background=_BACKGROUND,
        bucket=bucket,
        spread_over=over,
    )


def find_shortages(walk: Walk) -> Iterator[Shortage]:
    """The conditions that ask for a number of events, with the most that are too few.

    A count of events, or of different values of theirs, is at most the number of events.
    """
    for asked in walk.asked:
        if asked.optional or not mentions_open(asked.condition):
            continue
        for part_number, least in _thresholds(asked.condition, whole=True):
            if walk.open_terms[part_number].function in _COUNTED and 1 < least <= MOST_EVENTS:
                yield Shortage(asked, least - 1)


def _thresholds(condition: Condition, *, whole: bool = False) -> Iterator[tuple[int, int]]:
    """The statistics that are compared with a number, and the least that will do.

    ``whole``: only if the condition is that comparison and nothing else.
    """
    if isinstance(condition, Matches):
        number = _open_number(condition.expr)
        bound = number_of(condition.value.text)
        if number is not None and bound is not None:
            yield from _least(number, condition.op, bound)
        return
    for expr in expressions_in(condition):
        for node in [expr] if whole else expr.walk():
            if isinstance(node, Binary):
                yield from _compared(node)


def _compared(node: Binary) -> Iterator[tuple[int, int]]:
    left, right, op = node.left, node.right, node.op
    if isinstance(left, Literal):
        left, right = right, left
        op = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
    number = _open_number(left)
    bound = number_of(right.value) if isinstance(right, Literal) else None
    if number is not None and bound is not None:
        yield from _least(number, op, bound)


def _equals(condition: Condition) -> Iterator[tuple[int, float]]:
    """The statistics that must be equal to a number."""
    for expr in expressions_in(condition):
        match expr:
            case Binary("=" | "==", left, Literal(value)):
                number, bound = _open_number(left), number_of(value)
                if number is not None and bound is not None:
                    yield number, bound


def _least(number: int, op: str, bound: float) -> Iterator[tuple[int, int]]:
    if op == ">":
        yield number, math.floor(bound) + 1
    elif op in (">=", "=", "=="):
        yield number, math.ceil(bound)


def _open_number(expr: EvalExpr) -> int | None:
    match expr:
        case Call(name, (Literal(int() as number), *_)) if name == OPEN:
            return number
    return None


def _mentioned(walk: Walk, conditions: Sequence[Condition]) -> Iterator[Statistic]:
    """The statistics that conditions are about, and those that these are of."""
    waiting = [e for c in conditions for e in expressions_in(c)]
    seen: set[int] = set()
    while waiting:
        for node in waiting.pop().walk():
            number = _open_number(node) if isinstance(node, Call) else None
            if number is None or number in seen:
                continue
            seen.add(number)
            term = walk.open_terms[number]
            yield term
            if term.argument is not None:
                waiting.append(term.argument)


def find_keys(walk: Walk) -> frozenset[str]:
    """The fields that the keys of groups are made of."""
    return frozenset(n for g in walk.groupings for _, key in g.by for n in field_names(key))


def field_names(expr: EvalExpr) -> Iterator[str]:
    """The fields of events that an expression reads, but for their time and their whole text."""
    for node in expr.walk():
        if isinstance(node, FieldRef) and not node.name.endswith(("\x1f_time", "\x1f_raw")):
            yield node.name


def _background_key(groupings: Sequence[Grouping]) -> frozenset[str]:
    """The fields of a key that the rows differ in over which an average is taken."""
    if len(groupings) < 2:
        return frozenset()
    before, after = groupings[-2], groupings[-1]
    outer = {name for name, _ in after.by}
    for name, key in before.by:
        fields = frozenset(field_names(key))
        if name not in outer and fields:
            return fields
    return frozenset()
