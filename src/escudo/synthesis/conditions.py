"""What rows must be for a search to give any, over the fields of raw events; ``walk`` makes it.

Fields of events are named by ``of_role``: a search may read several streams (the subsearch of a
join), each a role of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from escudo.spl import (
    And,
    Binary,
    Call,
    Compare,
    EvalExpr,
    FieldRef,
    InList,
    Literal,
    Not,
    Or,
    SearchExpr,
    Term,
    TimeModifier,
    Unary,
)
from escudo.spl import Value as Wanted
from escudo.synthesis.functions import UnknownValueError

_MARK = "\x1f"
_TABLE_MARK = "\x1d"
OPEN = "agg"
"""The function that stands for what one event does not tell: the number of a statistic."""
SEVERAL = "values_of"
"""The function that stands for the values of several events: a number, and what one of them is."""
KEPT = "kept"
"""The function that stands for a field and the rule of a data model that keeps it where it has a
value: the solver turns round the field, what is evaluated is the rule."""
NOTHING = Call("null", ())
"""The expression of a field that there is not."""


def of_role(role: int, name: str) -> str:
    """The name of a field of a role's events."""
    return f"{role}{_MARK}{name}"


def split_role(name: str) -> tuple[int, str]:
    """The role and the field of a name that ``of_role`` made."""
    role, _, field = name.partition(_MARK)
    return int(role), field


def of_table(table: str, name: str) -> str:
    """The name of a field of a collection's row, beside the fields of an event."""
    return f"{_TABLE_MARK}{table}{_TABLE_MARK}{name}"


def is_of_table(name: str) -> bool:
    """Whether ``of_table`` made a name."""
    return name.startswith(_TABLE_MARK)


@dataclass(frozen=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Some:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Opposite:
    """Holds where its part does not (null counts as no)."""

    part: Condition


@dataclass(frozen=True)
class Holds:
    """An eval expression is true."""

    expr: EvalExpr


@dataclass(frozen=True)
class Matches:
    """``field op value`` of a search expression; ``name`` is the field's in the search."""

    expr: EvalExpr
    op: str
    value: Wanted
    name: str = ""
    cidr: bool = True


@dataclass(frozen=True)
class InRaw:
    """A bare term or phrase is in the text of the event."""

    expr: EvalExpr
    value: Wanted


@dataclass(frozen=True)
class Found:
    """The command ``regex`` finds its pattern."""

    expr: EvalExpr
    pattern: str


@dataclass(frozen=True)
class Present:
    """A field has a value: as a key of a grouping must."""

    expr: EvalExpr


Condition: TypeAlias = All | Some | Opposite | Holds | Matches | InRaw | Found | Present
Lookup: TypeAlias = Callable[[str], EvalExpr]
"""A field of rows -> its expression over the fields of events."""


def of_search(expr: SearchExpr, fields: Lookup, *, cidr: bool = True) -> Condition:
    """A search expression over rows as a condition on events.

    Raises:
        UnknownValueError: it has a subsearch.
    """
    match expr:
        case And(operands):
            return All(tuple(of_search(o, fields, cidr=cidr) for o in operands))
        case Or(operands):
            return Some(tuple(of_search(o, fields, cidr=cidr) for o in operands))
        case Not(operand):
            return Opposite(of_search(operand, fields, cidr=cidr))
        case Compare(name, op, value):
            return Matches(fields(name), op, value, name, cidr)
        case InList(name, values):
            read = fields(name)
            return Some(tuple(Matches(read, "=", v, name, cidr) for v in values))
        case Term(value):
            if value.text == "*":
                return All(())
            return InRaw(fields("_raw"), value)
        case TimeModifier():
            return All(())
    raise UnknownValueError("a subsearch among the conditions")


def substitute(expr: EvalExpr, fields: Lookup) -> EvalExpr:
    """An expression with those of its fields in their places."""
    match expr:
        case FieldRef(name):
            return fields(name)
        case Call(name, args):
            inner = tuple(substitute(a, fields) for a in args)
            match inner:
                case (Call(several, (number, _)),) if name == "mvcount" and several == SEVERAL:
                    return Call(OPEN, (number,))
            return Call(name, inner)
        case Unary(op, operand):
            return Unary(op, substitute(operand, fields))
        case Binary(op, left, right):
            return Binary(op, substitute(left, fields), substitute(right, fields))
        case Literal():
            return expr
    raise UnknownValueError("a subsearch in an expression")


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """The conditions that must hold together."""
    if isinstance(condition, All):
        for part in condition.parts:
            yield from conjuncts(part)
    elif isinstance(condition, Holds) and _is_and(condition.expr):
        assert isinstance(condition.expr, Binary)
        yield from conjuncts(Holds(condition.expr.left))
        yield from conjuncts(Holds(condition.expr.right))
    elif isinstance(condition, Opposite) and isinstance(condition.part, Some):
        for part in condition.part.parts:
            yield from conjuncts(Opposite(part))
    elif isinstance(condition, Opposite) and isinstance(condition.part, Opposite):
        yield from conjuncts(condition.part.part)
    else:
        yield condition


def _is_and(expr: EvalExpr) -> bool:
    return isinstance(expr, Binary) and expr.op == "AND"


def expressions_in(condition: Condition) -> Iterator[EvalExpr]:
    """The eval expressions of a condition and of its parts."""
    match condition:
        case All(parts) | Some(parts):
            for part in parts:
                yield from expressions_in(part)
        case Opposite(part):
            yield from expressions_in(part)
        case Holds(expr) | Present(expr):
            yield expr
        case Matches(expr=expr) | InRaw(expr=expr) | Found(expr=expr):
            yield expr
