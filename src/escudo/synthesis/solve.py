"""Conditions on events -> demands on their fields that make them all hold; ``scenario`` calls it.

The conditions are taken apart from the left to the right, with a choice wherever there are
alternatives; a choice whose demands no text can meet is taken back. Expressions are turned round
step by step: what must a file's path be, so that what follows its last backslash is ``cmd.exe``?
Where an expression cannot be turned round, nothing is demanded, and the check at the end says
whether it holds by luck. So what is found is right, but not all is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

from escudo.spl import Binary, Call, EvalExpr, FieldRef, Literal, Unary
from escudo.spl import Value as Wanted
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
)
from escudo.synthesis.demands import NULL, Check, Demand, Kind, Step, exact
from escudo.synthesis.texts import admits_null, make_text
from escudo.synthesis.values import number_of, text_of

MOST_STEPS = 6_000
"""Steps of a search for demands (2026-12: the largest of ESCU's that is solved takes 2,900)."""

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<"}


@dataclass(frozen=True)
class _Is:
    """A condition that must hold, or must not."""

    condition: Condition
    wanted: bool


@dataclass(frozen=True)
class _Passes:
    """An expression's value passes a check, or does not."""

    expr: EvalExpr
    check: Check
    wanted: bool
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class _Same:
    """Two expressions have the same value, or other ones; ``like``: one is the other's pattern."""

    left: EvalExpr
    right: EvalExpr
    wanted: bool
    like: bool = False


_Goal: TypeAlias = _Is | _Passes | _Same
_Way: TypeAlias = tuple[tuple[_Goal, ...], tuple[Demand, ...]]
"""One way to reach a goal: other goals, and demands."""


Demands: TypeAlias = Mapping[str, tuple[Demand, ...]]


@dataclass(frozen=True)
class World:
    """What the solver knows beside the conditions.

    ``default`` and ``prefer`` give the text of a field where nothing, or little, is asked;
    ``carrier`` names the field whose text stands for that of the whole event; ``look_up`` gives
    the ways in which a lookup's output passes a check.
    """

    default: Callable[[str, Demands], str | None]
    prefer: Callable[[str], str | None]
    carrier: Callable[[str], str]
    look_up: Callable[[Call, Check, bool], Iterable[tuple[tuple[EvalExpr, Check, bool], ...]]]


class Solver:
    """Searches for demands; ``steps`` counts the steps it has taken."""

    def __init__(self, world: World, most: int = MOST_STEPS) -> None:
        self.world = world
        self.most = most
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
        goals = tuple(_Is(condition, held) for condition, held in wanted)
        yield from self._reach(goals, (), demands or {})

    def _reach(
        self, goals: tuple[_Goal, ...], later: tuple[_Goal, ...], demands: Demands
    ) -> Iterator[Demands]:
        """``later`` are relations of fields, looked at when all else is known."""
        while goals:
            self.steps += 1
            if self.steps > self.most:
                return
            goal, goals = goals[0], goals[1:]
            if isinstance(goal, _Same):
                later = (*later, goal)
                continue
            ways = self._ways(goal)
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
        return make_text(asked, self.world.default(name, demands), self.world.prefer(name))

    # --- ways -------------------------------------------------------------------------------------

    def _ways(self, goal: _Is | _Passes) -> Iterator[_Way]:
        if isinstance(goal, _Passes):
            yield from self._pass(goal)
        else:
            yield from self._hold(goal.condition, goal.wanted)

    def _hold(self, condition: Condition, wanted: bool) -> Iterator[_Way]:
        match condition:
            case All(parts):
                yield from _connect([_Is(p, wanted) for p in parts], together=wanted)
            case Some(parts):
                yield from _connect([_Is(p, wanted) for p in parts], together=not wanted)
            case Opposite(part):
                yield (_Is(part, not wanted),), ()
            case Present(expr):
                yield (_Passes(expr, NULL, not wanted),), ()
            case Matches():
                yield from self._match(condition, wanted)
            case InRaw(expr, value):
                text = value.text.strip("*")
                check = Check(Kind.WILD, f"*{text}*", case=value.exact_case)
                yield (_Passes(expr, check, wanted),), ()
            case Found(expr, pattern):
                yield (_Passes(expr, Check(Kind.REGEX, pattern), wanted),), ()
            case Holds(expr):
                yield from self._be_true(expr, wanted)

    def _match(self, condition: Matches, wanted: bool) -> Iterator[_Way]:
        expr, value = condition.expr, condition.value
        if condition.op in _FLIPPED:
            yield (_Passes(expr, Check(Kind.ORDER, value.text, condition.op), wanted),), ()
            return
        checks = _equality(condition, value)
        if condition.op == "!=":
            if wanted:
                present = _Passes(expr, NULL, False)
                yield (present, *(_Passes(expr, c, False) for c in checks)), ()
                return
            yield from (((_Passes(expr, c, True),), ()) for c in checks)
            yield (_Passes(expr, NULL, True),), ()
            return
        if wanted:
            yield from (((_Passes(expr, c, True),), ()) for c in checks)
        else:
            yield tuple(_Passes(expr, c, False) for c in checks), ()

    def _be_true(self, expr: EvalExpr, wanted: bool) -> Iterator[_Way]:
        match expr:
            case Unary("NOT", operand):
                yield (_Is(Holds(operand), not wanted),), ()
            case Binary("AND", left, right):
                parts = [_Is(Holds(left), wanted), _Is(Holds(right), wanted)]
                yield from _connect(parts, together=wanted)
            case Binary("OR", left, right):
                parts = [_Is(Holds(left), wanted), _Is(Holds(right), wanted)]
                yield from _connect(parts, together=not wanted)
            case Binary("LIKE", left, Literal(pattern)):
                check = Check(Kind.LIKE, str(pattern), case=True)
                yield (_Passes(left, check, wanted),), ()
            case Binary(op, left, right):
                yield from self._compare(op, left, right, wanted)
            case Call():
                yield from self._be_true_call(expr, wanted)
            case Literal():
                if not wanted:
                    yield (), ()
            case _:
                yield (), ()

    def _compare(self, op: str, left: EvalExpr, right: EvalExpr, wanted: bool) -> Iterator[_Way]:
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right, op = right, left, _FLIPPED.get(op, op)
        if not isinstance(right, Literal):
            if op in ("=", "==", "!="):
                yield (_Same(left, right, wanted == (op != "!=")),), ()
            else:
                yield (), ()
            return
        text = str(text_of(right.value))
        if op in _FLIPPED:
            check = Check(Kind.ORDER, text, op)
        elif isinstance(right.value, str):
            check = exact(text)
        else:
            check = Check(Kind.ORDER, text, "=")
        if op == "!=":
            if wanted:
                yield (_Passes(left, NULL, False), _Passes(left, check, False)), ()
                return
            yield (_Passes(left, check, True),), ()
            yield (_Passes(left, NULL, True),), ()
            return
        yield (_Passes(left, check, wanted),), ()

    def _be_true_call(self, expr: Call, wanted: bool) -> Iterator[_Way]:
        args = expr.args
        match expr.name:
            case "match" if isinstance(args[1], Literal):
                check = Check(Kind.REGEX, str(args[1].value))
                yield (_Passes(args[0], check, wanted),), ()
            case "like" if isinstance(args[1], Literal):
                check = Check(Kind.LIKE, str(args[1].value), case=True)
                yield (_Passes(args[0], check, wanted),), ()
            case "like":
                yield (_Same(args[0], args[1], wanted, like=True),), ()
            case "isnotnull":
                yield (_Passes(args[0], NULL, not wanted),), ()
            case "isnull":
                yield (_Passes(args[0], NULL, wanted),), ()
            case "cidrmatch" if isinstance(args[0], Literal):
                check = Check(Kind.CIDR, str(args[0].value))
                yield (_Passes(args[1], check, wanted),), ()
            case "in":
                parts = [_Is(Holds(Binary("=", args[0], option)), wanted) for option in args[1:]]
                yield from _connect(parts, together=not wanted)
            case "true":
                if wanted:
                    yield (), ()
            case "false" | "null":
                if not wanted:
                    yield (), ()
            case "if":
                held, other = args[1], args[2]
                yield (_Is(Holds(args[0]), True), _Is(Holds(held), wanted)), ()
                yield (_Is(Holds(args[0]), False), _Is(Holds(other), wanted)), ()
            case _:
                yield (), ()

    def _pass(self, goal: _Passes) -> Iterator[_Way]:
        """Ways in which an expression's value passes a check."""
        check, wanted, steps = goal.check, goal.wanted, goal.steps

        def of(expr: EvalExpr, *more: Step) -> _Passes:
            return _Passes(expr, check, wanted, (*more, *steps))

        match goal.expr:
            case FieldRef(name):
                place = self.world.carrier(name)
                yield (), (Demand(place, check, wanted, steps),)
            case Literal(value):
                if Demand("", check, wanted, steps).met_by(text_of(value)):
                    yield (), ()
            case Binary("."):
                yield from self._concatenated(goal)
            case Binary("+" | "-", left, right) if check.kind is Kind.ORDER and not steps:
                yield from _moved(goal, left, right)
            case Call():
                yield from self._pass_call(goal, goal.expr, of)
            case _:
                yield (), ()

    def _pass_call(self, goal: _Passes, expr: Call, of: Callable[..., _Passes]) -> Iterator[_Way]:
        args = expr.args
        null = goal.check is NULL
        match expr.name:
            case "null":
                if Demand("", goal.check, goal.wanted, goal.steps).met_by(None):
                    yield (), ()
            case "coalesce":
                nulls: list[_Goal] = []
                for arg in args:
                    if not (null and goal.wanted):
                        present = () if null else (_Passes(arg, NULL, False),)
                        yield (*nulls, of(arg), *present), ()
                    nulls.append(_Passes(arg, NULL, True))
                if Demand("", goal.check, goal.wanted, goal.steps).met_by(None):
                    yield tuple(nulls), ()
            case "if":
                yield (_Is(Holds(args[0]), True), of(args[1])), ()
                yield (_Is(Holds(args[0]), False), of(args[2])), ()
            case "case":
                before: list[_Goal] = []
                for condition, value in zip(args[::2], args[1::2], strict=False):
                    yield (*before, _Is(Holds(condition), True), of(value)), ()
                    before.append(_Is(Holds(condition), False))
                if Demand("", goal.check, goal.wanted, goal.steps).met_by(None):
                    yield tuple(before), ()
            case "nullif" if isinstance(args[1], Literal):
                same = exact(str(text_of(args[1].value)))
                if null and goal.wanted:
                    yield (of(args[0]),), ()
                    yield (_Passes(args[0], same, True),), ()
                    return
                if not (null or goal.wanted):
                    yield (of(args[0]),), ()
                    return
                yield (of(args[0]), _Passes(args[0], same, False)), ()
            case "kept":
                yield (of(args[1 if null and goal.wanted else 0]),), ()
            case "values_of":
                yield (of(args[1]),), ()
            case "lookup":
                for keys in self.world.look_up(expr, goal.check, goal.wanted):
                    yield tuple(_Passes(e, check, held) for e, check, held in keys), ()
            case _:
                yield from self._pass_step(goal, expr, of)

    def _pass_step(self, goal: _Passes, expr: Call, of: Callable[..., _Passes]) -> Iterator[_Way]:
        """Ways through a function whose value is a part or a form of one text."""
        args = expr.args
        if goal.check is NULL and not goal.steps:
            if args and expr.name not in _NOT_OF_ONE:
                yield (_Passes(args[0], NULL, goal.wanted),), ()
            else:
                yield (), ()
            return
        match expr.name:
            case "replace":
                yield from _replaced(expr, of)
            case "lower" | "upper":
                yield (of(args[0], Step(expr.name)),), ()
            case "trim" | "ltrim" | "rtrim" | "tostring" | "tonumber" | "urldecode" | "mvdedup":
                yield (of(args[0]),), ()
            case "round" | "floor" | "ceiling" | "mvappend" | "mvsort" | "mvjoin":
                yield (of(args[0]),), ()
            case "split":
                yield (of(args[0]),), ()
            case "mvindex" if len(args) == 2:
                yield from _indexed(args[0], args[1], of)
            case "ut_shannon":
                yield (of(args[0], Step("entropy")),), ()
            case "substr":
                yield from _cut_out(goal, expr)
            case "rex":
                pattern, group = (str(a.value) for a in args[1:3] if isinstance(a, Literal))
                yield (of(args[0], Step("capture", text=pattern, group=group)),), ()
            case "len" if (bound := _bound(goal.check)) is not None:
                sized = replace(bound, kind=Kind.LENGTH)
                yield (_Passes(args[0], sized, goal.wanted),), ()
            case "mvcount" if (bound := _bound(goal.check)) is not None:
                yield from _counted(replace(goal, check=bound), args[0])
            case _:
                yield (), ()

    def _concatenated(self, goal: _Passes) -> Iterator[_Way]:
        """A text put together: what a literal at its begin or end gives is left out."""
        parts = _chain(goal.expr)
        others = [p for p in parts if not isinstance(p, Literal)]
        if goal.check is NULL:
            yield tuple(_Passes(p, NULL, goal.wanted) for p in others[:1]), ()
            return
        if goal.check.kind is Kind.WILD and not goal.steps and len(others) == 1:
            text = goal.check.text
            at = parts.index(others[0])
            before = "".join(str(p.value) for p in parts[:at] if isinstance(p, Literal))
            after = "".join(str(p.value) for p in parts[at + 1 :] if isinstance(p, Literal))
            if before and text.lower().startswith(before.lower()):
                text = text[len(before) :]
            elif before and not text.startswith("*"):
                if not goal.wanted:
                    yield (), ()
                return
            if after and text.lower().endswith(after.lower()):
                text = text[: -len(after)]
            check = replace(goal.check, text=text)
            yield (_Passes(others[0], check, goal.wanted),), ()
            return
        if others:
            yield (_Passes(others[0], goal.check, goal.wanted, goal.steps),), ()
        yield (), ()

    # --- relations --------------------------------------------------------------------------------

    def _relate(self, goal: _Goal, demands: Demands) -> Iterator[tuple[Demand, ...]]:
        """Demands that make two expressions the same, or not."""
        assert isinstance(goal, _Same)
        if not goal.wanted:
            yield ()
            for expr in (goal.left, goal.right):
                yield from self._differ(expr, demands)
            return
        yield ()
        if goal.like:
            pattern = "".join(self._text_of(part, demands) for part in _chain(goal.right))
            check = Check(Kind.LIKE, pattern, case=True)
            for found in self._reach((_Passes(goal.left, check, True),), (), demands):
                yield tuple(d for ds in found.values() for d in ds)
                return
        for one, other in ((goal.left, goal.right), (goal.right, goal.left)):
            if isinstance(one, FieldRef):
                text = self.text(one.name, demands.get(one.name, ()), demands)
                if text is not None:
                    goals = (_Passes(other, exact(text), True),)
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


_NOT_OF_ONE = frozenset({OPEN, "count", "mvfilter", "mvappend", "split_none", "spath"})


def _connect(goals: Sequence[_Goal], *, together: bool) -> Iterator[_Way]:
    if together:
        yield tuple(goals), ()
    else:
        yield from (((goal,), ()) for goal in goals)


def _equality(condition: Matches, value: Wanted) -> list[Check]:
    text = value.text
    if condition.cidr and re.fullmatch(r"[\d.]+/\d{1,2}", text):
        return [Check(Kind.CIDR, text)]
    checks = [Check(Kind.WILD, text, case=value.exact_case)]
    if condition.name == "source" and text.lower().startswith("wineventlog:"):
        checks.append(Check(Kind.WILD, f"Xml{text}", case=value.exact_case))
    return checks


def _replaced(expr: Call, of: Callable[..., _Passes]) -> Iterator[_Way]:
    pattern, replacement = expr.args[1], expr.args[2]
    if isinstance(pattern, Literal) and isinstance(replacement, Literal):
        cut = _TAILS.get(str(pattern.value).removesuffix('|"'))
        if cut is not None and replacement.value == "":
            yield (of(expr.args[0], Step("tail", text=cut)),), ()
            return
    yield (of(expr.args[0]),), ()


_TAILS = {r"^.*[\\/]": "\\/", r"^.*\\": "\\", "^.*/": "/"}
"""What cuts a path down to its file's name: pattern -> the characters that end a folder."""


def _indexed(items: EvalExpr, number: EvalExpr, of: Callable[..., _Passes]) -> Iterator[_Way]:
    at = _integer(number)
    match items:
        case Call("split", (text, Literal(mark))) if at is not None:
            yield (of(text, Step("item", text=str(mark), number=at)),), ()
        case _:
            yield (of(items),), ()


def _integer(expr: EvalExpr) -> int | None:
    match expr:
        case Literal(int() as value):
            return value
        case Unary("-", Literal(int() as value)):
            return -value
    return None


def _bound(check: Check) -> Check | None:
    """A check of a number; one for a text that is a number, too."""
    if check.kind is Kind.ORDER:
        return check
    if check.kind is Kind.WILD and number_of(check.text) is not None:
        return Check(Kind.ORDER, check.text, "=")
    return None


def _moved(goal: _Passes, left: EvalExpr, right: EvalExpr) -> Iterator[_Way]:
    """A sum: a number in it goes to the other side; of two parts, either may be enough."""
    assert isinstance(goal.expr, Binary)
    bound = float(goal.check.text) if number_of(goal.check.text) is not None else None
    amount = number_of(right.value) if isinstance(right, Literal) else None
    if bound is None:
        yield (), ()
    elif amount is not None:
        moved = bound - amount if goal.expr.op == "+" else bound + amount
        check = replace(goal.check, text=str(text_of(moved)))
        yield (_Passes(left, check, goal.wanted),), ()
    else:
        yield (replace(goal, expr=left),), ()
        if goal.expr.op == "+":
            yield (replace(goal, expr=right),), ()


def _cut_out(goal: _Passes, expr: Call) -> Iterator[_Way]:
    """``substr``: what must be at the begin or the end of the text."""
    start = _integer(expr.args[1])
    if goal.check.kind is Kind.WILD and not goal.steps and start is not None:
        if start < 0:
            check = replace(goal.check, text=f"*{goal.check.text}")
        else:
            check = replace(goal.check, text=f"{goal.check.text}*")
        yield (_Passes(expr.args[0], check, goal.wanted),), ()
    yield (), ()


def _counted(goal: _Passes, items: EvalExpr) -> Iterator[_Way]:
    match items:
        case Call("split", (text, Literal(mark))):
            check = replace(goal.check, kind=Kind.PARTS, mark=str(mark))
            yield (_Passes(text, check, goal.wanted),), ()
        case _:
            yield (), ()


def _chain(expr: EvalExpr) -> list[EvalExpr]:
    match expr:
        case Binary(".", left, right):
            return [*_chain(left), *_chain(right)]
    return [expr]
