"""A condition that must hold, a value that must pass -> the ways to reach it; the solver asks.

A way is other goals, nearer to the fields of events, and demands on these fields. Expressions are
turned round step by step: what must a file's path be, so that what follows its last backslash is
``cmd.exe``? Where an expression cannot be turned round, a way demands nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from escudo.synthesis.values import ITEM_MARK, NETWORK, number_of, text_of

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class Is:
    """A condition that must hold, or must not."""

    condition: Condition
    wanted: bool


@dataclass(frozen=True)
class Passes:
    """An expression's value passes a check, or does not."""

    expr: EvalExpr
    check: Check
    wanted: bool
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Same:
    """Two expressions have the same value, or other ones; ``like``: one is the other's pattern."""

    left: EvalExpr
    right: EvalExpr
    wanted: bool
    like: bool = False


Goal: TypeAlias = Is | Passes | Same
Way: TypeAlias = tuple[tuple[Goal, ...], tuple[Demand, ...]]
"""One way to reach a goal: other goals, and demands."""

Carrier: TypeAlias = Callable[[str], str]
"""A field -> the one whose text stands for it, where it is the text of the whole event."""
LookUp: TypeAlias = Callable[
    [Call, Check, bool], Iterable[tuple[tuple[EvalExpr, Check, bool], ...]]
]
"""The ways in which a lookup's output passes a check, or does not."""


class Ways:
    """The ways to reach goals, with what is known of the events and of lookups."""

    def __init__(self, carrier: Carrier, look_up: LookUp) -> None:
        self.carrier = carrier
        self.look_up = look_up

    def find(self, goal: Is | Passes) -> Iterator[Way]:
        if isinstance(goal, Passes):
            yield from self._pass(goal)
        else:
            yield from self._hold(goal.condition, goal.wanted)

    def _hold(self, condition: Condition, wanted: bool) -> Iterator[Way]:
        match condition:
            case All(parts):
                yield from _connect([Is(p, wanted) for p in parts], together=wanted)
            case Some(parts):
                yield from _connect([Is(p, wanted) for p in parts], together=not wanted)
            case Opposite(part):
                yield (Is(part, not wanted),), ()
            case Present(expr):
                yield (Passes(expr, NULL, not wanted),), ()
            case Matches():
                yield from self._match(condition, wanted)
            case InRaw(expr, value):
                text = value.text.strip("*")
                check = Check(Kind.WILD, f"*{text}*", case=value.exact_case)
                yield (Passes(expr, check, wanted),), ()
            case Found(expr, pattern):
                yield (Passes(expr, Check(Kind.REGEX, pattern), wanted),), ()
            case Holds(expr):
                yield from self._be_true(expr, wanted)

    def _match(self, condition: Matches, wanted: bool) -> Iterator[Way]:
        expr, value = condition.expr, condition.value
        if condition.op in _FLIPPED:
            yield (Passes(expr, Check(Kind.ORDER, value.text, condition.op), wanted),), ()
            return
        checks = _equality(condition, value)
        if condition.op == "!=":
            if wanted:
                present = Passes(expr, NULL, False)
                yield (present, *(Passes(expr, c, False) for c in checks)), ()
                return
            yield from (((Passes(expr, c, True),), ()) for c in checks)
            yield (Passes(expr, NULL, True),), ()
            return
        if wanted:
            yield from (((Passes(expr, c, True),), ()) for c in checks)
        else:
            yield tuple(Passes(expr, c, False) for c in checks), ()

    def _be_true(self, expr: EvalExpr, wanted: bool) -> Iterator[Way]:
        match expr:
            case Unary("NOT", operand):
                yield (Is(Holds(operand), not wanted),), ()
            case Binary("AND", left, right):
                parts = [Is(Holds(left), wanted), Is(Holds(right), wanted)]
                yield from _connect(parts, together=wanted)
            case Binary("OR", left, right):
                parts = [Is(Holds(left), wanted), Is(Holds(right), wanted)]
                yield from _connect(parts, together=not wanted)
            case Binary("LIKE", left, Literal(pattern)):
                check = Check(Kind.LIKE, str(pattern), case=True)
                yield (Passes(left, check, wanted),), ()
            case Binary(op, left, right):
                yield from self._compare(op, left, right, wanted)
            case Call():
                yield from self._be_true_call(expr, wanted)
            case Literal():
                if not wanted:
                    yield (), ()
            case _:
                yield (), ()

    def _compare(self, op: str, left: EvalExpr, right: EvalExpr, wanted: bool) -> Iterator[Way]:
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right, op = right, left, _FLIPPED.get(op, op)
        if not isinstance(right, Literal):
            if op in ("=", "==", "!="):
                yield (Same(left, right, wanted == (op != "!=")),), ()
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
                yield (Passes(left, NULL, False), Passes(left, check, False)), ()
                return
            yield (Passes(left, check, True),), ()
            yield (Passes(left, NULL, True),), ()
            return
        yield (Passes(left, check, wanted),), ()

    def _be_true_call(self, expr: Call, wanted: bool) -> Iterator[Way]:
        args = expr.args
        match expr.name:
            case "match" if isinstance(args[1], Literal):
                check = Check(Kind.REGEX, str(args[1].value))
                yield (Passes(args[0], check, wanted),), ()
            case "like" if isinstance(args[1], Literal):
                check = Check(Kind.LIKE, str(args[1].value), case=True)
                yield (Passes(args[0], check, wanted),), ()
            case "like":
                yield (Same(args[0], args[1], wanted, like=True),), ()
            case "isnotnull":
                yield (Passes(args[0], NULL, not wanted),), ()
            case "isnull":
                yield (Passes(args[0], NULL, wanted),), ()
            case "cidrmatch" if isinstance(args[0], Literal):
                check = Check(Kind.CIDR, str(args[0].value))
                yield (Passes(args[1], check, wanted),), ()
            case "in":
                parts = [Is(Holds(Binary("=", args[0], option)), wanted) for option in args[1:]]
                yield from _connect(parts, together=not wanted)
            case "true":
                if wanted:
                    yield (), ()
            case "false" | "null":
                if not wanted:
                    yield (), ()
            case "if":
                held, other = args[1], args[2]
                yield (Is(Holds(args[0]), True), Is(Holds(held), wanted)), ()
                yield (Is(Holds(args[0]), False), Is(Holds(other), wanted)), ()
            case _:
                yield (), ()

    def _pass(self, goal: Passes) -> Iterator[Way]:
        """Ways in which an expression's value passes a check."""
        check, wanted, steps = goal.check, goal.wanted, goal.steps

        def of(expr: EvalExpr, *more: Step) -> Passes:
            return Passes(expr, check, wanted, (*more, *steps))

        match goal.expr:
            case FieldRef(name):
                place = self.carrier(name)
                yield (), (Demand(place, check, wanted, steps),)
            case Literal(value):
                if Demand("", check, wanted, steps).met_by(text_of(value)):
                    yield (), ()
            case Binary("."):
                yield from self._concatenated(goal)
            case Binary("+" | "-", left, right) if check is NULL:
                nulls = [Passes(part, NULL, wanted) for part in (left, right)]
                yield from _connect(nulls, together=not wanted)
            case Binary("+" | "-", left, right) if check.kind is Kind.ORDER and not steps:
                yield from _moved(goal, left, right)
            case Call():
                yield from self._pass_call(goal, goal.expr, of)
            case _:
                yield (), ()

    def _pass_call(self, goal: Passes, expr: Call, of: Callable[..., Passes]) -> Iterator[Way]:
        args = expr.args
        null = goal.check is NULL
        match expr.name:
            case "null":
                if Demand("", goal.check, goal.wanted, goal.steps).met_by(None):
                    yield (), ()
            case "coalesce":
                nulls: list[Goal] = []
                for arg in args:
                    if not (null and goal.wanted):
                        present = () if null else (Passes(arg, NULL, False),)
                        yield (*nulls, of(arg), *present), ()
                    nulls.append(Passes(arg, NULL, True))
                if Demand("", goal.check, goal.wanted, goal.steps).met_by(None):
                    yield tuple(nulls), ()
            case "if":
                yield (Is(Holds(args[0]), True), of(args[1])), ()
                yield (Is(Holds(args[0]), False), of(args[2])), ()
            case "case":
                before: list[Goal] = []
                for condition, value in zip(args[::2], args[1::2], strict=False):
                    yield (*before, Is(Holds(condition), True), of(value)), ()
                    before.append(Is(Holds(condition), False))
                if Demand("", goal.check, goal.wanted, goal.steps).met_by(None):
                    yield tuple(before), ()
            case "nullif" if isinstance(args[1], Literal):
                same = exact(str(text_of(args[1].value)))
                if null and goal.wanted:
                    yield (of(args[0]),), ()
                    yield (Passes(args[0], same, True),), ()
                    return
                if not (null or goal.wanted):
                    yield (of(args[0]),), ()
                    return
                yield (of(args[0]), Passes(args[0], same, False)), ()
            case "kept":
                yield (of(args[1 if null and goal.wanted else 0]),), ()
            case "values_of":
                yield (of(args[1]),), ()
            case "lookup":
                for keys in self.look_up(expr, goal.check, goal.wanted):
                    yield tuple(Passes(e, check, held) for e, check, held in keys), ()
            case _:
                yield from self._pass_step(goal, expr, of)

    def _pass_step(self, goal: Passes, expr: Call, of: Callable[..., Passes]) -> Iterator[Way]:
        """Ways through a function whose value is a part or a form of one text."""
        args = expr.args
        if expr.name == "rex":
            yield from _captured(goal, args, of)
            return
        if expr.name in _PARTS:
            ways = list(_part(goal, expr, of))
            if ways:
                yield from ways
                return
        if goal.check is NULL and not goal.steps:
            if args and expr.name not in _NOT_OF_ONE:
                yield (Passes(args[0], NULL, goal.wanted),), ()
            else:
                yield (), ()
            return
        match expr.name:
            case "replace":
                yield from _replaced(expr, of)
            case "lower" | "upper":
                yield (of(args[0], Step(expr.name)),), ()
            case "mvappend":
                yield from (((of(arg),), ()) for arg in args)
            case name if name in _OF_FIRST:
                yield (of(args[0]),), ()
            case "items":
                yield (of(args[0], Step("each", text=ITEM_MARK)),), ()
            case "mvindex" if len(args) == 2:
                yield from _indexed(args[0], args[1], of)
            case "ut_shannon":
                yield (of(args[0], Step("entropy")),), ()
            case "substr":
                yield from _cut_out(goal, expr)
            case "len" if (bound := _bound(goal.check)) is not None:
                sized = replace(bound, kind=Kind.LENGTH)
                yield (Passes(args[0], sized, goal.wanted),), ()
            case "mvcount" if (bound := _bound(goal.check)) is not None:
                yield from _counted(replace(goal, check=bound), args[0])
            case _:
                yield (), ()

    def _concatenated(self, goal: Passes) -> Iterator[Way]:
        """A text put together: what a literal at its begin or end gives is left out."""
        parts = chain_parts(goal.expr)
        others = [p for p in parts if not isinstance(p, Literal)]
        if goal.check is NULL:
            nulls = [Passes(p, NULL, goal.wanted) for p in others]
            yield from _connect(nulls, together=not goal.wanted)
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
            yield (Passes(others[0], check, goal.wanted),), ()
            return
        if others:
            yield (Passes(others[0], goal.check, goal.wanted, goal.steps),), ()
        yield (), ()


_PARTS = frozenset({"mvindex", "spath", "mvfind", "mvfilter", "mvcount", "mvzip"})


def _part(goal: Passes, expr: Call, of: Callable[..., Passes]) -> Iterator[Way]:
    """Ways through a function that takes a part of what an event has: one of the values of a
    field, or what a document has at a path."""
    match expr:
        case Call(name, (Call("coalesce", options), *others)):
            for option in options:
                yield (replace(goal, expr=Call(name, (option, *others))),), ()
        case Call("spath", (document, Literal(path))):
            yield (of(document, Step("json", text=str(path))),), ()
        case Call("mvindex", (Call("items", (text,)), number)) if (
            at := _integer(number)
        ) is not None:
            yield (of(text, Step("item", text=ITEM_MARK, number=at)),), ()
        case Call("mvindex", (values, number)):
            yield from _picked(values, number, of)
        case Call("mvfind", (values, Literal(pattern))):
            found = Passes(values, Check(Kind.REGEX, str(pattern)), True)
            order = (goal.check.op, goal.check.text) if goal.check.kind is Kind.ORDER else ()
            if goal.check is NULL:
                yield (replace(found, wanted=not goal.wanted),), ()
            elif order in ((">=", "0"), (">", "-1"), ("!=", "-1")):
                yield (replace(found, wanted=goal.wanted),), ()
        case Call("mvfilter", (condition,)) if goal.check is NULL:
            yield (Is(Holds(condition), not goal.wanted),), ()
        case Call("mvzip", (first, second, *_)) if goal.wanted or goal.check is NULL:
            present = Passes(second, NULL, False)
            yield (of(first), present), ()
            yield (of(second), replace(present, expr=first)), ()


_MOST_PLACES = 4
"""Places at which a value is put that is found by its pattern."""


def _picked(values: EvalExpr, number: EvalExpr, of: Callable[..., Passes]) -> Iterator[Way]:
    """One of the values of a field, where another field has a value that a pattern is found in."""

    def at(expr: EvalExpr, place: int) -> Call:
        return Call("mvindex", (expr, Literal(place)))

    for node in number.walk():
        match node:
            case Call("mvfind", (others, Literal(pattern))):
                check = Check(Kind.REGEX, str(pattern))
                for place in range(_MOST_PLACES):
                    before = (Passes(at(others, n), check, False) for n in range(place))
                    found = Passes(at(others, place), check, True)
                    yield (*before, found, of(at(values, place))), ()
                return


_NOT_OF_ONE = frozenset({OPEN, "mvfilter", "mvappend", "spath"})
"""Functions that may give null, or a value, whatever their first argument is."""
_OF_FIRST = frozenset(
    {
        *("trim", "ltrim", "rtrim", "tostring", "tonumber", "urldecode", "mvdedup"),
        *("round", "floor", "ceiling", "mvsort", "mvjoin", "split"),
    }
)
"""Functions whose value is, for the most, that of their first argument."""


def _connect(goals: Sequence[Goal], *, together: bool) -> Iterator[Way]:
    if together:
        yield tuple(goals), ()
    else:
        yield from (((goal,), ()) for goal in goals)


def _equality(condition: Matches, value: Wanted) -> list[Check]:
    text = value.text
    if condition.cidr and NETWORK.fullmatch(text):
        return [Check(Kind.CIDR, text)]
    checks = [Check(Kind.WILD, text, case=value.exact_case)]
    if condition.name == "source" and text.lower().startswith("wineventlog:"):
        checks.append(Check(Kind.WILD, f"Xml{text}", case=value.exact_case))
    return checks


def _replaced(expr: Call, of: Callable[..., Passes]) -> Iterator[Way]:
    pattern, replacement = expr.args[1], expr.args[2]
    if isinstance(pattern, Literal) and isinstance(replacement, Literal):
        cut = _TAILS.get(str(pattern.value).removesuffix('|"'))
        if cut is not None and replacement.value == "":
            yield (of(expr.args[0], Step("tail", text=cut)),), ()
            return
    yield (of(expr.args[0]),), ()


_TAILS = {r"^.*[\\/]": "\\/", r"^.*\\": "\\", "^.*/": "/"}
"""What cuts a path down to its file's name: pattern -> the characters that end a folder."""


def _captured(goal: Passes, args: Sequence[EvalExpr], of: Callable[..., Passes]) -> Iterator[Way]:
    """``rex``: a value of the group; null where the pattern is not found, too."""
    pattern, group = (str(a.value) for a in args[1:3] if isinstance(a, Literal))
    if goal.check is NULL and goal.wanted:
        yield (Passes(args[0], Check(Kind.REGEX, pattern), False),), ()
    yield (of(args[0], Step("capture", text=pattern, group=group)),), ()


def _indexed(items: EvalExpr, number: EvalExpr, of: Callable[..., Passes]) -> Iterator[Way]:
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
        case Binary("-", Call("mvcount"), Literal(int() as value)):
            return -value
    return None


def _bound(check: Check) -> Check | None:
    """A check of a number; one for a text that is a number, too."""
    if check.kind is Kind.ORDER:
        return check
    if check.kind is Kind.WILD and number_of(check.text) is not None:
        return Check(Kind.ORDER, check.text, "=")
    return None


def _moved(goal: Passes, left: EvalExpr, right: EvalExpr) -> Iterator[Way]:
    """A sum: a number in it goes to the other side; of two parts, either may be enough."""
    assert isinstance(goal.expr, Binary)
    bound = float(goal.check.text) if number_of(goal.check.text) is not None else None
    amount = number_of(right.value) if isinstance(right, Literal) else None
    if bound is None:
        yield (), ()
    elif amount is not None:
        moved = bound - amount if goal.expr.op == "+" else bound + amount
        check = replace(goal.check, text=str(text_of(moved)))
        yield (Passes(left, check, goal.wanted),), ()
    else:
        yield (replace(goal, expr=left),), ()
        if goal.expr.op == "+":
            yield (replace(goal, expr=right),), ()


def _cut_out(goal: Passes, expr: Call) -> Iterator[Way]:
    """``substr``: what must be at the begin or the end of the text."""
    start = _integer(expr.args[1])
    if goal.check.kind is Kind.WILD and not goal.steps and start is not None:
        if start < 0:
            check = replace(goal.check, text=f"*{goal.check.text}")
        else:
            check = replace(goal.check, text=f"{goal.check.text}*")
        yield (Passes(expr.args[0], check, goal.wanted),), ()
    yield (), ()


def _counted(goal: Passes, items: EvalExpr) -> Iterator[Way]:
    match items:
        case Call("split", (text, Literal(mark))):
            check = replace(goal.check, kind=Kind.PARTS, mark=str(mark))
            yield (Passes(text, check, goal.wanted),), ()
        case Call("items", (text,)):
            check = replace(goal.check, kind=Kind.PARTS, mark=ITEM_MARK)
            yield (Passes(text, check, goal.wanted),), ()
        case _:
            yield (), ()


def chain_parts(expr: EvalExpr) -> list[EvalExpr]:
    match expr:
        case Binary(".", left, right):
            return [*chain_parts(left), *chain_parts(right)]
    return [expr]
