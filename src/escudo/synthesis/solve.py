"""Conditions on events -> demands on their fields that make them all hold; ``scenario`` calls it.

The conditions are taken apart from the left to the right, with a choice wherever there are several
ways (``ways``); a choice whose demands no text can meet is taken back. What cannot be turned round
is left to the check at the end, which says whether it holds by luck. So what is found is right, but
not all is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from escudo.spl import EvalExpr, FieldRef, Literal
from escudo.synthesis.conditions import Condition
from escudo.synthesis.demands import NULL, Check, Demand, Kind, exact
from escudo.synthesis.texts import admits_null, make_text
from escudo.synthesis.ways import Carrier, Goal, Is, LookUp, Passes, Same, Ways, chain_parts

MOST_STEPS = 6_000
"""Steps of a search for demands (2026-12: the largest of ESCU's that is solved takes 2,900)."""

Demands: TypeAlias = Mapping[str, tuple[Demand, ...]]


@dataclass(frozen=True)
class World:
    """What the solver knows beside the conditions.

    ``default`` and ``prefer`` give the text of a field where nothing, or little, is asked; ``form``
    what every text of it must be;
    ``carrier`` names the field whose text stands for that of the whole event; ``look_up`` gives
    the ways in which a lookup's output passes a check.
    """

    default: Callable[[str, Demands], str | None]
    prefer: Callable[[str], str | None]
    form: Callable[[str], tuple[Demand, ...]]
    carrier: Carrier
    look_up: LookUp


class Solver:
    """Searches for demands; ``steps`` counts the steps it has taken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ways = Ways(world.carrier, world.look_up)
        self.steps = 0

    def solve(
        self, wanted: Iterable[tuple[Condition, bool]], given: Iterable[Demand] = ()
    ) -> Iterator[Demands]:
        """Demands that make conditions hold, or not hold, as ``wanted`` says."""
        demands: Demands | None = {}
        for demand in given:
            demands = self._add(demands or {}, (demand,))
            if demands is None:
                return
        goals = tuple(Is(condition, held) for condition, held in wanted)
        yield from self._reach(goals, (), demands or {})

    def _reach(
        self, goals: tuple[Goal, ...], later: tuple[Same, ...], demands: Demands
    ) -> Iterator[Demands]:
        """``later`` are relations of fields, looked at when all else is known."""
        while goals:
            self.steps += 1
            if self.steps > MOST_STEPS:
                return
            goal, goals = goals[0], goals[1:]
            if isinstance(goal, Same):
                later = (*later, goal)
                continue
            ways = self.ways.find(goal)
            first = next(ways, None)
            if first is None:
                return
            second = next(ways, None)
            if second is None:
                added = self._add(demands, first[1])
                if added is None:
                    return
                goals, demands = (*first[0], *goals), added
                continue
            for more, asked in chain((first, second), ways):
                added = self._add(demands, asked)
                if added is not None:
                    yield from self._reach((*more, *goals), later, added)
            return
        if not later:
            yield demands
            return
        for asked in self._relate(later[0], demands):
            added = self._add(demands, asked)
            if added is not None:
                yield from self._reach((), later[1:], added)

    def _add(self, demands: Demands, more: Iterable[Demand]) -> Demands | None:
        """The demands with others; None if a field cannot meet all of its own."""
        out = dict(demands)
        for demand in more:
            known = out.get(demand.field, ())
            if demand in known:
                continue
            out[demand.field] = (*known, demand)
            asked = out[demand.field]
            if self.text(demand.field, asked, out) is None and not admits_null(asked):
                return None
        return out

    def text(self, name: str, asked: tuple[Demand, ...], demands: Demands) -> str | None:
        """The text of a field under what is asked of it; None where it has none, or none was
        found."""
        if any(d.check is NULL and d.wanted and not d.steps for d in asked):
            return None
        whole = (*asked, *self.world.form(name))
        return make_text(whole, self.world.default(name, demands), self.world.prefer(name))

    # --- relations --------------------------------------------------------------------------------

    def _relate(self, goal: Same, demands: Demands) -> Iterator[tuple[Demand, ...]]:
        """Demands that make two expressions the same, or not."""
        if not goal.wanted:
            yield ()
            for expr in (goal.left, goal.right):
                yield from self._differ(expr, demands)
            return
        yield ()
        if goal.like:
            pattern = "".join(self._text_of(part, demands) for part in chain_parts(goal.right))
            check = Check(Kind.LIKE, pattern, case=True)
            for found in self._reach((Passes(goal.left, check, True),), (), demands):
                yield tuple(d for ds in found.values() for d in ds)
                return
        for one, other in ((goal.left, goal.right), (goal.right, goal.left)):
            if isinstance(one, FieldRef):
                text = self.text(one.name, demands.get(one.name, ()), demands)
                if text is not None:
                    goals = (Passes(other, exact(text), True),)
                    for found in self._reach(goals, (), demands):
                        yield tuple(d for ds in found.values() for d in ds)
                        break

    def _text_of(self, expr: EvalExpr, demands: Demands) -> str:
        """What an expression gives under demands, where it is one field or a literal."""
        if isinstance(expr, Literal):
            return str(expr.value)
        for node in expr.walk():
            if isinstance(node, FieldRef):
                return self.text(node.name, demands.get(node.name, ()), demands) or ""
        return ""

    def _differ(self, expr: EvalExpr, demands: Demands) -> Iterator[tuple[Demand, ...]]:
        for node in expr.walk():
            if isinstance(node, FieldRef):
                text = self.text(node.name, demands.get(node.name, ()), demands)
                if text is not None:
                    yield (Demand(node.name, exact(text), wanted=False),)
