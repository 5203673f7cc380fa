"""Conditions on rows that no single event meets -> several events of a group that meet them
together, and near-misses; ``scenario`` calls it.

``stats min(a) max(b) by k | where isnotnull(a) AND isnotnull(b)``: each statistic may be of another
event, as long as the events have the same keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from escudo.spl import Call
from escudo.synthesis.asked import Asked, Walk
from escudo.synthesis.conditions import SEVERAL, Condition, Holds, Matches
from escudo.synthesis.demands import Demand
from escudo.synthesis.populations import find_keys
from escudo.synthesis.solution import Solution, make_events, pin
from escudo.synthesis.trials import Event, Trial

Solve = Callable[..., Iterator[Solution]]
"""``(walk, broken, prefer, given=)`` -> events that meet the conditions of a walk, but for one."""
Judge = Callable[[Condition, Solution], bool]
"""Whether a condition holds of an event, or that cannot be told."""


@dataclass(frozen=True)
class Member:
    """An event of a group, and the conditions on rows that it meets."""

    walk: Walk
    asked: tuple[Asked, ...]
    solution: Solution


@dataclass(frozen=True)
class Group:
    """Events of the same keys; ``given`` pins these. ``asked`` is what each of them must meet."""

    members: tuple[Member, ...]
    asked: tuple[Asked, ...]
    given: tuple[Demand, ...]


def find_group(walk: Walk, solve: Solve) -> Group | None:
    """Events that meet the conditions on rows together; None where one is enough, or none are
    found.

    A condition that no event of its own meets (one that compares two statistics) is left to the
    search itself.
    """
    if walk.of_events is None or len(walk.streams) != 1 or walk.sequence:
        return None
    of_events = walk.asked[: walk.of_events]
    if next(solve(replace(walk, asked=of_events), None, {}), None) is None:
        return None
    shares: list[list[Asked]] = []
    for asked in walk.asked[walk.of_events :]:
        for share in (*shares, []):
            narrowed = replace(walk, asked=[*of_events, *share, asked])
            if next(solve(narrowed, None, {}), None) is not None:
                if not share:
                    shares.append(share)
                share.append(asked)
                break
    if len(shares) < 2:
        return None
    members: list[Member] = []
    given: tuple[Demand, ...] = ()
    for share in shares:
        narrowed = replace(walk, asked=[*of_events, *share])
        found = next(solve(narrowed, None, {}, given=given), None)
        if found is None:
            return None
        members.append(Member(narrowed, tuple(share), found))
        given = given or tuple(pin(found, find_keys(walk)))
    return Group(tuple(members), tuple(of_events), given)


def list_positives(group: Group) -> Iterator[Trial]:
    """The events in one order, and in the other: the search may ask which is first."""
    solutions = [member.solution for member in group.members]
    for order in (solutions, solutions[::-1]):
        yield Trial(_lay_out(order), fires=True)


def list_near_misses(group: Group, solve: Solve, judge: Judge) -> Iterator[Trial]:
    """Groups that lack one event, or in which the search does not read it."""
    for number, member in enumerate(group.members):
        others = [m.solution for m in group.members if m is not member]
        needed = [a for a in member.asked if _needs_event(a, others, judge)]
        if not needed:
            continue
        yield Trial(_lay_out(others), fires=False, about=needed[0].text)
        for asked in group.asked:
            if asked.optional:
                continue
            like = member.solution.fields
            missed = next(solve(member.walk, asked.condition, like, given=group.given), None)
            if missed is not None:
                solutions = [m.solution for m in group.members]
                solutions[number] = missed
                yield Trial(_lay_out(solutions), fires=False, about=asked.text)


def _needs_event(asked: Asked, others: Sequence[Solution], judge: Judge) -> bool:
    """Whether a condition is false of a row of some events, since it is false of each of them: so
    it is of what is there at all, and of the values that there are."""
    condition = asked.condition
    match condition:
        case Holds(Call("isnotnull")):
            one_by_one = True
        case Matches(Call(name)):
            one_by_one = name == SEVERAL
        case _:
            one_by_one = False
    return one_by_one and not asked.optional and not any(judge(condition, s) for s in others)


def _lay_out(solutions: Sequence[Solution]) -> tuple[Event, ...]:
    return tuple(chain.from_iterable(make_events(s, n * 1.0) for n, s in enumerate(solutions)))
