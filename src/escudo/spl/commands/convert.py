"""``convert``: field values to other notations (Search Reference: convert)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal, Node
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.source import suggest
from escudo.spl.syntax.unparse import option, word
from escudo.spl.syntax.wildcards import renamed, select_names


@dataclass(frozen=True)
class Conversion(Node):
    """``function(field) [AS alias]``; the field may hold ``*``."""

    function: str
    field: str
    alias: str | None = None

    def format(self) -> str:
        alias = f" AS {word(self.alias)}" if self.alias else ""
        return f"{self.function}({word(self.field)}){alias}"


@dataclass(frozen=True)
class Convert(Command):
    """``convert [timeformat=...] function(field) ...``."""

    name: ClassVar[str] = "convert"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    conversions: tuple[Conversion, ...]
    timeformat: str = "%m/%d/%Y %H:%M:%S"

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("timeformat")
        conversions = args.separated(lambda: _conversion(args))
        if not conversions:
            args.missing("a conversion such as ctime(field)")
        timeformat = options.text("timeformat", "%m/%d/%Y %H:%M:%S")
        return cls(conversions, timeformat, span=args.span())

    def format(self) -> str:
        return (
            "convert"
            + option("timeformat", self.timeformat, "%m/%d/%Y %H:%M:%S")
            + " "
            + ", ".join(c.format() for c in self.conversions)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        kept = [c.field for c in self.conversions if c.function == "none"]
        left_out = set(select_names(kept, binder.matching(relation, kept))) if kept else set()
        for c in self.conversions:
            for name in select_names([c.field], binder.matching(relation, [c.field])):
                bound = relation.bound(name)
                if bound is None or name in left_out:
                    continue
                target = c.alias or name
                if c.alias and "*" in c.alias:
                    target = renamed(c.field, c.alias, name) or c.alias
                value = converted(c.function, name, bound.type, self.timeformat, relation, binder)
                relation = relation.extend([(target, value)], binder.names)
        return relation


FUNCTIONS = frozenset(
    {"auto", "ctime", "dur2sec", "memk", "mktime", "mstime", "none", "num", "rmcomma", "rmunit"}
)


def _conversion(args: Args) -> Conversion:
    token = args.peek()
    if token.kind is not Kind.WORD:
        args.expected("a conversion such as ctime(field)")
    args.next()
    function = token.text.lower()
    if function not in FUNCTIONS:
        args.fail(f"'{token.text}' is no conversion", token, hint=suggest(function, FUNCTIONS))
    args.expect("(")
    field = args.name()
    args.expect(")")
    alias = args.name("a name after AS") if args.accept_word("as") else None
    return Conversion(function, field, alias, span=args.span(token.start))


def converted(
    function: str, name: str, kind: FieldType, timeformat: str, relation: Relation, binder: Binder
) -> Typed:
    """The field after a conversion; each value of a multivalue by itself."""
    field = FieldRef(name)
    expr = _FUNCTIONS[function](field, timeformat)
    if kind is FieldType.MULTIVALUE:
        expr = Call("mvmap", (field, expr))
    return binder.evaluate(expr, relation)


def _call(function: str, *args: EvalExpr | str | float) -> Call:
    wrapped = (a if not isinstance(a, str | int | float) else Literal(a) for a in args)
    return Call(function, tuple(wrapped))


def _matches(field: EvalExpr, pattern: str) -> Call:
    return _call("match", field, pattern)


def _group(field: EvalExpr, pattern: str, group: int = 1) -> Call:
    """A capture group of a pattern that matches the whole value, as a number; null without."""
    return _call("tonumber", _call("replace", field, pattern, f"\\{group}"))


def _sum(*parts: EvalExpr) -> EvalExpr:
    out, *more = parts
    for p in more:
        out = Binary("+", out, p)
    return out


def _times(value: EvalExpr, factor: float) -> EvalExpr:
    return Binary("*", value, Literal(factor))


def _memory(field: EvalExpr, _: str) -> EvalExpr:
    """``memk``: kilobytes of a size with k, m or g; k where no unit is given."""
    pattern = r"^\s*(\d+(?:\.\d+)?)\s*([kKmMgG]?)[bB]?\s*$"
    size = _group(field, pattern)
    unit = _call("lower", _call("replace", field, pattern, r"\2"))
    factor = _call(
        "case", _equal(unit, "g"), 1024.0 * 1024, _equal(unit, "m"), 1024.0, _call("true"), 1.0
    )
    return _call("if", _matches(field, pattern), Binary("*", size, factor), _call("null"))


def _duration(field: EvalExpr, _: str) -> EvalExpr:
    """``dur2sec``: seconds of ``[D+]HH:MM:SS``."""
    days = r"^(\d+)\+(\d+):(\d+):(\d+(?:\.\d+)?)$"
    hours = r"^(\d+):(\d+):(\d+(?:\.\d+)?)$"
    with_days = _sum(
        _times(_group(field, days), 86400.0),
        _times(_group(field, days, 2), 3600.0),
        _times(_group(field, days, 3), 60.0),
        _group(field, days, 4),
    )
    without = _sum(
        _times(_group(field, hours), 3600.0),
        _times(_group(field, hours, 2), 60.0),
        _group(field, hours, 3),
    )
    return _call("case", _matches(field, days), with_days, _matches(field, hours), without)


def _minutes(field: EvalExpr, _: str) -> EvalExpr:
    """``mstime``: seconds of ``[MM:]SS.SSS``."""
    pattern = r"^(\d+):(\d+(?:\.\d+)?)$"
    seconds = _sum(_times(_group(field, pattern), 60.0), _group(field, pattern, 2))
    return _call("case", _matches(field, pattern), seconds, _call("true"), _call("tonumber", field))


def _equal(left: EvalExpr, text: str) -> EvalExpr:
    return Binary("==", left, Literal(text))


def _number(field: EvalExpr, timeformat: str) -> EvalExpr:
    """``num`` and ``auto``: the first of the readings that gives a number."""
    without_comma = _call("tonumber", _call("replace", field, ",", ""))
    return _call(
        "coalesce",
        _call("tonumber", field),
        _duration(field, timeformat),
        _minutes(field, timeformat),
        _memory(field, timeformat),
        without_comma,
    )


_FUNCTIONS: Mapping[str, Callable[[EvalExpr, str], EvalExpr]] = {
    "auto": lambda f, t: _call("coalesce", _number(f, t), f),
    "ctime": lambda f, t: _call("strftime", f, t),
    "dur2sec": _duration,
    "memk": _memory,
    "mktime": lambda f, t: _call("strptime", f, t),
    "mstime": _minutes,
    "num": _number,
    "rmcomma": lambda f, t: _call("replace", f, ",", ""),
    "rmunit": lambda f, t: _group(f, r"^\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?).*$"),
}
