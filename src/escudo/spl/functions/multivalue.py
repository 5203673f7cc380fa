"""Multivalue functions (Search Reference, MultivalueEvalFunctions)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from sqlglot import exp

from escudo.core.errors import Span
from escudo.core.schema import FieldType
from escudo.spl.functions.conditional import regex_match
from escudo.spl.functions.row import Context, EvalFunction, Nulls, typed_call
from escudo.spl.relation.coercion import as_boolean, as_integer, as_list, as_number, as_text
from escudo.spl.relation.comparison import filter_values, flat_map_values, map_values
from escudo.spl.relation.scope import Scope
from escudo.spl.relation.sql import (
    case_when,
    cast_to,
    has_value,
    literal_integer,
    literal_number,
    literal_text,
    parenthesise,
    prelude_call,
)
from escudo.spl.relation.values import (
    Typed,
    constant_of,
    is_null,
    is_numeric_text,
    null_value,
    text_value,
)
from escudo.spl.syntax.ast import FieldRef, fields_in
from escudo.spl.syntax.spans import parse_span

_PAGE = "MultivalueEvalFunctions"
_LIST = FieldType.MULTIVALUE
_STRING = FieldType.STRING
_INTEGER = FieldType.INTEGER
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def _list(sql: exp.Expression) -> Typed:
    return Typed(sql, _LIST)


@dataclass(frozen=True)
class _OneValue:
    """A scope in which one field stands for a single value of itself."""

    outer: Scope
    name: str
    value: Typed

    @property
    def now(self) -> float:
        return self.outer.now

    @property
    def zone(self) -> tzinfo:
        return self.outer.zone

    def field(self, name: str) -> Typed | None:
        return self.value if name == self.name else self.outer.field(name)

    def warn(self, code: str, message: str, span: Span | None) -> None:
        self.outer.warn(code, message, span)


def _mvfilter(_: list[Typed], context: Context) -> Typed:
    predicate = context.arguments[0]
    names = set(fields_in(predicate))
    if len(names) != 1:
        raise context.error(
            "mvfilter() takes a condition on exactly one field",
            hint=f"it names {', '.join(sorted(names))}" if names else "it names no field",
        )
    (name,) = names
    values = as_list(context.lower(FieldRef(name), context.scope))

    def holds(value: Typed) -> exp.Expression:
        return as_boolean(context.lower(predicate, _OneValue(context.scope, name, value)))

    return _list(prelude_call("spl_values", filter_values(values, holds)))


def _mvmap(_: list[Typed], context: Context) -> Typed:
    source, body = context.arguments
    names = list(dict.fromkeys(fields_in(source)))
    if len(names) != 1:
        raise context.error("mvmap() takes a multivalue field first, then an expression over it")
    (name,) = names
    values = context.lower(source, context.scope)

    def result(value: Typed) -> Typed:
        return context.lower(body, _OneValue(context.scope, name, value))

    if values.type is not _LIST:
        return result(values)
    many = result(text_value("")).type is _LIST
    if many:
        return _list(flat_map_values(values.sql, lambda v: as_list(result(v))))
    mapped = map_values(values.sql, lambda v: as_text(result(v)))
    return _list(prelude_call("spl_values", mapped))


def _mvappend(args: list[Typed], _: Context) -> Typed:
    known = [a for a in args if not is_null(a)]
    if not known:
        return null_value(_LIST)
    first, *others = map(as_list, known)
    for other in others:
        first = prelude_call("spl_append", first, other)
    return _list(first)


def _mvcount(args: list[Typed], _: Context) -> Typed:
    (value,) = args
    if is_null(value):
        return null_value(_INTEGER)
    if value.type is _LIST:
        return Typed(prelude_call("spl_count", value.sql), _INTEGER)
    one = cast_to(literal_integer(1), _INTEGER)
    return Typed(case_when((has_value(parenthesise(value.sql)), one)), _INTEGER)


def _mvfind(args: list[Typed], context: Context) -> Typed:
    values, pattern = args
    hits = map_values(
        as_list(values),
        lambda v: prelude_call("spl_bool_text", regex_match(v.sql, pattern, context)),
    )
    return Typed(prelude_call("spl_position", hits, literal_text("True")), _INTEGER)


def _mvindex(args: list[Typed], _: Context) -> Typed:
    values = as_list(args[0])
    start = as_integer(args[1])
    if len(args) == 2:
        return Typed(prelude_call("spl_mvindex", values, start), _STRING)
    return _list(prelude_call("spl_mvslice", values, start, as_integer(args[2])))


def _mvrange(args: list[Typed], context: Context) -> Typed:
    start, end = map(as_number, args[:2])
    step: exp.Expression = literal_number(1)
    if len(args) > 2:
        known = constant_of(args[2])
        if isinstance(known, str) and not is_numeric_text(known):
            span = parse_span(known)
            if span is None or span.unit not in _SECONDS:
                raise context.error(f"{known!r} is not a time span", hint="write 1d, 30m, 1w ...")
            step = literal_number(span.size * _SECONDS[span.unit])
        else:
            step = as_number(args[2])
    return _list(prelude_call("spl_mvrange", start, end, step))


def _mvzip(args: list[Typed], _: Context) -> Typed:
    left, right = map(as_list, args[:2])
    between = as_text(args[2]) if len(args) > 2 else literal_text(",")
    return _list(prelude_call("spl_mvzip", left, right, between))


MULTIVALUE = (
    EvalFunction("commands", 1, 1, "multivalue", typed_call(_LIST, "spl_commands", _STRING), _PAGE),
    EvalFunction("mvappend", 1, None, "multivalue", _mvappend, _PAGE, Nulls.SKIP),
    EvalFunction("mvcount", 1, 1, "integer", _mvcount, _PAGE),
    EvalFunction("mvdedup", 1, 1, "multivalue", typed_call(_LIST, "spl_mvdedup", _LIST), _PAGE),
    EvalFunction("mvfilter", 1, 1, "multivalue", _mvfilter, _PAGE, raw=True),
    EvalFunction("mvfind", 2, 2, "integer", _mvfind, _PAGE),
    EvalFunction("mvindex", 2, 3, "string, or multivalue for a range", _mvindex, _PAGE),
    EvalFunction(
        "mvjoin", 2, 2, "string", typed_call(_STRING, "spl_mvjoin", _LIST, _STRING), _PAGE
    ),
    EvalFunction("mvmap", 2, 2, "multivalue", _mvmap, _PAGE, raw=True),
    EvalFunction("mvrange", 2, 3, "multivalue", _mvrange, _PAGE),
    EvalFunction("mvsort", 1, 1, "multivalue", typed_call(_LIST, "spl_mvsort", _LIST), _PAGE),
    EvalFunction("mvzip", 2, 3, "multivalue", _mvzip, _PAGE),
    EvalFunction(
        "split", 2, 2, "multivalue", typed_call(_LIST, "spl_split", _STRING, _STRING), _PAGE
    ),
)
