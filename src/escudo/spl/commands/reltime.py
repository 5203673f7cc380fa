"""``reltime``: how long ago a time was, in words (Search Reference: reltime)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal
from escudo.spl.syntax.options import format_options, text_option


@dataclass(frozen=True)
class Reltime(Command):
    """``reltime [options]``.

    The field ``reltime`` holds how long before the time of the search it was: ``3 minutes ago``.
    """

    name: ClassVar[str] = "reltime"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    timefield: str = text_option("_time", "The field of epoch seconds.")
    prefix: str = text_option("", "What stands before the name of the result.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(**args.read_options(cls).values(cls), span=args.span())

    def format(self) -> str:
        return f"reltime{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if relation.bound(self.timefield) is None:
            return relation
        value = binder.evaluate(say_elapsed(self.timefield), relation)
        return relation.extend([(f"{self.prefix}reltime", value)], binder.names)


_UNITS = (
    ("second", 1.0, 60.0),
    ("minute", 60.0, 3600.0),
    ("hour", 3600.0, 86400.0),
    ("day", 86400.0, 2592000.0),
    ("month", 2592000.0, 31536000.0),
)
"""Unit, its seconds, and from how many seconds on the next unit is used."""
_YEAR = 31536000.0


def say_elapsed(name: str) -> EvalExpr:
    """``3 minutes ago`` for a field of epoch seconds, as an expression."""
    ago = Binary("-", Call("now", ()), FieldRef(name))
    cases: list[EvalExpr] = []
    for unit, width, end in _UNITS:
        cases += [Binary("<", ago, Literal(end)), _say_number(ago, unit, width)]
    cases += [Call("true", ()), _say_number(ago, "year", _YEAR)]
    known = Call("isnotnull", (FieldRef(name),))
    return Call("if", (known, Call("case", tuple(cases)), Call("null", ())))


def _say_number(ago: EvalExpr, unit: str, width: float) -> EvalExpr:
    number = Call("floor", (Binary("/", ago, Literal(width)),))
    plural = Call(
        "if",
        (Binary("==", number, Literal(1)), Literal(f" {unit} ago"), Literal(f" {unit}s ago")),
    )
    return Binary(".", number, plural)
