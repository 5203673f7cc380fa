"""``rangemap``: names for ranges of numbers (Search Reference: rangemap)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal, Node
from escudo.spl.syntax.unparse import quoted, word

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Range(Node):
    """``low=0-9``: the name of the numbers from ``least`` to ``most``, both included."""

    name: str
    least: float
    most: float

    def format(self) -> str:
        """The option in SPL."""
        return f"{self.name}={self.least:.15g}-{self.most:.15g}"


@dataclass(frozen=True)
class Rangemap(Command):
    """``rangemap field=x name=start-end ... [default=text]``; ``range`` has the names of all
    ranges that the number is in, else the default (``None``)."""

    name: ClassVar[str] = "rangemap"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    field: str
    ranges: tuple[Range, ...]
    default: str = "None"

    @classmethod
    def parse(cls, args: Args) -> Self:
        field: str | None = None
        default = "None"
        ranges: list[Range] = []
        while args.more():
            if args.accept(","):
                continue
            given = args.option()
            if given is None:
                args.expected("a range such as low=0-9")
            token, value = given
            if token.text.lower() == "field":
                field = value.text
            elif token.text.lower() == "default":
                default = value.text
            else:
                bounds = _RANGE.fullmatch(value.text)
                if bounds is None:
                    args.fail("a range is two numbers such as 10-19", value, code="SPL104")
                span = args.source.span(token.start, value.end)
                ranges.append(Range(token.text, float(bounds[1]), float(bounds[2]), span=span))
        if field is None:
            args.missing("field=")
        if not ranges:
            args.missing("a range such as low=0-9")
        return cls(field, tuple(ranges), default, span=args.span())

    def format(self) -> str:
        ranges = " ".join(r.format() for r in self.ranges)
        shown = f" default={quoted(self.default)}" if self.default != "None" else ""
        return f"rangemap field={word(self.field)} {ranges}{shown}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = tuple(_if_within(self.field, r) for r in self.ranges)
        found: EvalExpr = Call("mvappend", names) if len(names) > 1 else names[0]
        expr = Call("coalesce", (found, Literal(self.default)))
        return relation.extend([("range", binder.evaluate(expr, relation))], binder.names)


def _if_within(field: str, wanted: Range) -> EvalExpr:
    value = Call("tonumber", (FieldRef(field),))
    low, high = sorted((wanted.least, wanted.most))
    within = Binary("AND", Binary(">=", value, Literal(low)), Binary("<=", value, Literal(high)))
    return Call("if", (within, Literal(wanted.name), Call("null", ())))
