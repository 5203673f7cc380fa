"""Comparison and conditional functions (Search Reference, ConditionalFunctions)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.functions.row import Context, EvalFunction, Nulls, constant_text
from escudo.spl.relation import pcre
from escudo.spl.relation.coercion import as_boolean, as_number, as_text, common_type, convert_to
from escudo.spl.relation.comparison import any_value, compare_values, match_like
from escudo.spl.relation.scope import SearchScope
from escudo.spl.relation.sql import (
    MANY,
    any_holds,
    case_when,
    coalesce,
    is_one_of_texts,
    literal_integer,
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
    number_text,
)

_PAGE = "ConditionalFunctions"


def _boolean(sql: exp.Expression) -> Typed:
    return Typed(sql, FieldType.BOOLEAN)


def _if(args: list[Typed], _: Context) -> Typed:
    condition, then, otherwise = args
    kind = common_type([then, otherwise])
    held = (as_boolean(condition), convert_to(then, kind))
    return Typed(case_when(held, otherwise=convert_to(otherwise, kind)), kind)


def _pairs(args: list[Typed], context: Context) -> list[tuple[Typed, Typed]]:
    if len(args) % 2:
        raise context.error("conditions and values must come in pairs")
    return list(zip(args[::2], args[1::2], strict=True))


def _case(args: list[Typed], context: Context) -> Typed:
    pairs = _pairs(args, context)
    kind = common_type(value for _, value in pairs)
    branches = [(as_boolean(condition), convert_to(value, kind)) for condition, value in pairs]
    return Typed(case_when(*branches), kind)


def _validate(args: list[Typed], context: Context) -> Typed:
    pairs = _pairs(args, context)
    kind = common_type(value for _, value in pairs)
    branches = [
        (exp.Not(this=parenthesise(as_boolean(condition))), convert_to(value, kind))
        for condition, value in pairs
    ]
    return Typed(case_when(*branches), kind)


def _coalesce(args: list[Typed], _: Context) -> Typed:
    known = [a for a in args if not is_null(a)]
    kind = common_type(known)
    if not known:
        return null_value()
    first, *others = (convert_to(a, kind) for a in known)
    return Typed(coalesce(first, *others) if others else first, kind)


def _nullif(args: list[Typed], _: Context) -> Typed:
    value, other = args
    same = compare_values("=", value, other)
    return Typed(case_when((same, exp.null()), otherwise=value.sql.copy()), value.type)


def _in(args: list[Typed], _: Context) -> Typed:
    value, *options = args
    texts = [constant_of(o) for o in options]
    plain = all(isinstance(t, str) and not is_numeric_text(t) for t in texts)
    if value.type is FieldType.STRING and plain and not is_null(value):
        wanted = [t for t in texts if isinstance(t, str)]
        return _boolean(is_one_of_texts(parenthesise(value.sql), list(dict.fromkeys(wanted))))
    if len(options) >= MANY and None not in texts and value.type is not FieldType.MULTIVALUE:
        return _boolean(_is_one_of_many(value, [t for t in texts if t is not None]))
    copies = (Typed(value.sql.copy(), value.type) for _ in options)
    return _boolean(
        any_holds(compare_values("=", v, o) for v, o in zip(copies, options, strict=True))
    )


def _is_one_of_many(value: Typed, known: Sequence[str | float]) -> exp.Expression:
    """``value IN (...)`` of many constants: texts by their characters, numbers by their value."""
    if is_null(value):
        return null_value(FieldType.BOOLEAN).sql
    shown = [t if isinstance(t, str) else number_text(t) for t in known]
    same_text = is_one_of_texts(as_text(value), list(dict.fromkeys(shown)))
    numbers = {number_text(float(t)) for t in shown if is_numeric_text(t)}
    if not numbers:
        return same_text
    printed = as_text(Typed(as_number(value), FieldType.NUMBER))
    same_number = coalesce(is_one_of_texts(printed, sorted(numbers)), exp.false())
    return any_holds([same_text, same_number])


def _like(args: list[Typed], _: Context) -> Typed:
    value, pattern = args
    if is_null(value) or is_null(pattern):
        return null_value(FieldType.BOOLEAN)
    known = constant_of(pattern)
    if known is None:
        return _boolean(prelude_call("spl_like", as_text(value), as_text(pattern)))
    text = known if isinstance(known, str) else number_text(known)
    return _boolean(match_like(as_text(value), text))


def _match(args: list[Typed], context: Context) -> Typed:
    value, pattern = args
    if is_null(value) or is_null(pattern):
        return null_value(FieldType.BOOLEAN)
    return _boolean(regex_match(as_text(value), pattern, context))


def regex_match(value: exp.Expression, pattern: Typed, context: Context) -> exp.Expression:
    """An unanchored match; patterns beyond RE2, or only known at run time, go the long way."""
    known = constant_of(pattern)
    if known is None:
        return prelude_call("spl_pcre_match", value, as_text(pattern))
    text = known if isinstance(known, str) else number_text(known)
    translated = pcre.checked(text, context.span)
    name = "spl_regex_match" if translated.regular else "spl_pcre_match"
    return prelude_call(name, value, literal_text(translated.text))


def _cidrmatch(args: list[Typed], context: Context) -> Typed:
    network, address = args
    if is_null(network) or is_null(address):
        return null_value(FieldType.BOOLEAN)
    if address.type is FieldType.MULTIVALUE:
        held = any_value(address.sql, lambda v: _in_network(network, v, context))
        return _boolean(held)
    return _boolean(_in_network(network, address, context))


def _in_network(network: Typed, address: Typed, context: Context) -> exp.Expression:
    value = as_text(address)
    if constant_of(network) is None:
        return prelude_call("spl_cidr_match", as_text(network), value)
    text = constant_text([network], 0, context, "the network")
    try:
        known = ipaddress.ip_network(text, strict=False)
    except ValueError as e:
        raise context.error(f"{text!r} is not a network", hint=str(e)) from None
    if known.version == 6:
        return prelude_call("spl_cidr_match", network.sql, value)
    low, high = int(known.network_address), int(known.broadcast_address)
    return prelude_call("spl_ipv4_between", value, literal_integer(low), literal_integer(high))


def _lookup(_: list[Typed], context: Context) -> Typed:
    raise context.error(
        "lookup() inside eval is not supported",
        hint="put the lookup command before: | lookup name key OUTPUT field",
    )


def _searchmatch(args: list[Typed], context: Context) -> Typed:
    text = constant_text(args, 0, context, "the search string")
    if not isinstance(context.scope, SearchScope):
        raise context.error("searchmatch() needs the events of a search")
    return context.scope.search(text, context.span)


CONDITIONAL = (
    EvalFunction("case", 2, None, "that of the values", _case, _PAGE, Nulls.OWN),
    EvalFunction("cidrmatch", 2, 2, "boolean", _cidrmatch, _PAGE),
    EvalFunction("coalesce", 1, None, "that of the values", _coalesce, _PAGE, Nulls.SKIP),
    EvalFunction("false", 0, 0, "boolean", lambda *_: _boolean(exp.false()), _PAGE, Nulls.OWN),
    EvalFunction("if", 3, 3, "that of the values", _if, _PAGE, Nulls.OWN),
    EvalFunction("in", 2, None, "boolean", _in, _PAGE),
    EvalFunction("like", 2, 2, "boolean", _like, _PAGE, each=True),
    EvalFunction("lookup", 3, 3, "json object", _lookup, _PAGE, raw=True),
    EvalFunction("match", 2, 2, "boolean", _match, _PAGE, each=True),
    EvalFunction("null", 0, 0, "null", lambda *_: null_value(), _PAGE, Nulls.OWN),
    EvalFunction("nullif", 2, 2, "that of the first", _nullif, _PAGE, Nulls.OWN),
    EvalFunction("searchmatch", 1, 1, "boolean", _searchmatch, _PAGE, Nulls.OWN),
    EvalFunction("true", 0, 0, "boolean", lambda *_: _boolean(exp.true()), _PAGE, Nulls.OWN),
    EvalFunction("validate", 2, None, "that of the values", _validate, _PAGE, Nulls.OWN),
)
