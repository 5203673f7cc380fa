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
from escudo.spl.syntax.options import format_options, option_names, text_option

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
    """``rangemap field=x name=start-end ... [default=text]``.

    The field ``range`` holds the names of all ranges that the number is in.
    """

    name: ClassVar[str] = "rangemap"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    ranges: tuple[Range, ...]
    field: str = text_option("", "The field of numbers; it must be given.")
    default: str = text_option("None", "The value where the number is in no range.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(strict=False)
        ranges: list[Range] = []
        while args.more():
            name = args.at_option()
            if name is not None and name.text.lower() in option_names(cls):
                args.read_options(cls, into=options, one=True)
            elif not args.accept(","):
                ranges.append(_read_range(args))
        if "field" not in options:
            args.missing("field=")
        if not ranges:
            args.missing("a range such as low=0-9")
        return cls(ranges=tuple(ranges), **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"rangemap{format_options(self)} {' '.join(r.format() for r in self.ranges)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = tuple(_name_if_within(self.field, r) for r in self.ranges)
        first: EvalExpr = Call("mvappend", names) if len(names) > 1 else names[0]
        expr = Call("coalesce", (first, Literal(self.default)))
        return relation.extend([("range", binder.evaluate(expr, relation))], binder.names)


def _read_range(args: Args) -> Range:
    option = args.option()
    if option is None:
        args.expected("a range such as low=0-9")
    name, value = option
    bounds = _RANGE.fullmatch(value.text)
    if bounds is None:
        args.fail("a range is two numbers such as 10-19", value, code="SPL104")
    span = args.source.span(name.start, value.end)
    return Range(name=name.text, least=float(bounds[1]), most=float(bounds[2]), span=span)


def _name_if_within(field: str, wanted: Range) -> EvalExpr:
    value = Call("tonumber", (FieldRef(field),))
    low, high = sorted((wanted.least, wanted.most))
    within = Binary("AND", Binary(">=", value, Literal(low)), Binary("<=", value, Literal(high)))
    return Call("if", (within, Literal(wanted.name), Call("null", ())))
