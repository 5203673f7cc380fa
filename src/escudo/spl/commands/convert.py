"""``convert``: field values to other notations (Search Reference: convert)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal, Node
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import format_options, text_option
from escudo.spl.syntax.source import suggest
from escudo.spl.syntax.unparse import word
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
    """``convert [timeformat=format] function(field) [AS name] ...``.

    A field may hold ``*``; ``none`` leaves fields out of the other conversions. Each value of a
    multivalue is converted by itself. Functions: ``ctime`` (epoch seconds to text), ``mktime``
    (text to epoch seconds), ``dur2sec`` (``D+HH:MM:SS`` to seconds), ``mstime`` (``MM:SS.SSS`` to
    seconds), ``memk`` (a size to kilobytes), ``rmcomma``, ``rmunit`` (the number before a unit),
    ``num`` (a number or null), ``auto`` (a number where there is one).
    """

    name: ClassVar[str] = "convert"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    conversions: tuple[Conversion, ...]
    timeformat: str = text_option("%m/%d/%Y %H:%M:%S", "How ctime writes and mktime reads a time.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        conversions = args.separated(lambda: _parse_conversion(args))
        if not conversions:
            args.missing("a conversion such as ctime(field)")
        return cls(conversions=conversions, **options.values(cls), span=args.span())

    def format(self) -> str:
        conversions = ", ".join(c.format() for c in self.conversions)
        return f"convert{format_options(self)} {conversions}"

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
                expr = _convert_field(c.function, name, bound.type, self.timeformat)
                value = binder.evaluate(expr, relation)
                relation = relation.extend([(target, value)], binder.names)
        return relation


def _parse_conversion(args: Args) -> Conversion:
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


def _convert_field(function: str, name: str, kind: FieldType, timeformat: str) -> EvalExpr:
    """The field after a conversion; each value of a multivalue by itself."""
    field = FieldRef(name)
    expr = FUNCTIONS[function](field, timeformat)
    return Call("mvmap", (field, expr)) if kind is FieldType.MULTIVALUE else expr


def _call(function: str, *args: EvalExpr | str | float) -> Call:
    wrapped = (a if not isinstance(a, str | int | float) else Literal(a) for a in args)
    return Call(function, tuple(wrapped))


def _match(field: EvalExpr, pattern: str) -> Call:
    return _call("match", field, pattern)


def _take_group(field: EvalExpr, pattern: str, group: int = 1) -> Call:
    """A capture group of a pattern that matches the whole value, as a number; null without."""
    return _call("tonumber", _call("replace", field, pattern, f"\\{group}"))


def _add(*parts: EvalExpr) -> EvalExpr:
    out, *more = parts
    for p in more:
        out = Binary("+", out, p)
    return out


def _multiply(value: EvalExpr, factor: float) -> EvalExpr:
    return Binary("*", value, Literal(factor))


def _read_memory(field: EvalExpr, _: str) -> EvalExpr:
    """``memk``: kilobytes of a size with k, m or g; k where no unit is given."""
    pattern = r"^\s*(\d+(?:\.\d+)?)\s*([kKmMgG]?)[bB]?\s*$"
    size = _take_group(field, pattern)
    unit = _call("lower", _call("replace", field, pattern, r"\2"))
    factor = _call(
        "case", _compare(unit, "g"), 1024.0 * 1024, _compare(unit, "m"), 1024.0, _call("true"), 1.0
    )
    return _call("if", _match(field, pattern), Binary("*", size, factor), _call("null"))


def _read_duration(field: EvalExpr, _: str) -> EvalExpr:
    """``dur2sec``: seconds of ``[D+]HH:MM:SS``."""
    days = r"^(\d+)\+(\d+):(\d+):(\d+(?:\.\d+)?)$"
    hours = r"^(\d+):(\d+):(\d+(?:\.\d+)?)$"
    with_days = _add(
        _multiply(_take_group(field, days), 86400.0),
        _multiply(_take_group(field, days, 2), 3600.0),
        _multiply(_take_group(field, days, 3), 60.0),
        _take_group(field, days, 4),
    )
    without = _add(
        _multiply(_take_group(field, hours), 3600.0),
        _multiply(_take_group(field, hours, 2), 60.0),
        _take_group(field, hours, 3),
    )
    return _call("case", _match(field, days), with_days, _match(field, hours), without)


def _read_minutes(field: EvalExpr, _: str) -> EvalExpr:
    """``mstime``: seconds of ``[MM:]SS.SSS``."""
    pattern = r"^(\d+):(\d+(?:\.\d+)?)$"
    seconds = _add(_multiply(_take_group(field, pattern), 60.0), _take_group(field, pattern, 2))
    return _call("case", _match(field, pattern), seconds, _call("true"), _call("tonumber", field))


def _compare(left: EvalExpr, text: str) -> EvalExpr:
    return Binary("==", left, Literal(text))


def _read_number(field: EvalExpr, timeformat: str) -> EvalExpr:
    """``num`` and ``auto``: the first of the readings that gives a number."""
    without_comma = _call("tonumber", _call("replace", field, ",", ""))
    return _call(
        "coalesce",
        _call("tonumber", field),
        _read_duration(field, timeformat),
        _read_minutes(field, timeformat),
        _read_memory(field, timeformat),
        without_comma,
    )


FUNCTIONS: Mapping[str, Callable[[EvalExpr, str], EvalExpr]] = {
    "auto": lambda f, t: _call("coalesce", _read_number(f, t), f),
    "ctime": lambda f, t: _call("strftime", f, t),
    "dur2sec": _read_duration,
    "memk": _read_memory,
    "mktime": lambda f, t: _call("strptime", f, t),
    "mstime": _read_minutes,
    "none": lambda f, t: f,
    "num": _read_number,
    "rmcomma": lambda f, t: _call("replace", f, ",", ""),
    "rmunit": lambda f, t: _take_group(f, r"^\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?).*$"),
}
