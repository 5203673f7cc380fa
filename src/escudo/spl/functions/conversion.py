"""Conversion and cryptographic functions (Search Reference, ConversionFunctions,
CryptographicFunctions)."""

from __future__ import annotations

import ipaddress

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.functions.jsonvalue import is_json, json_typed
from escudo.spl.functions.row import Context, EvalFunction, Nulls, constant_text, text_to
from escudo.spl.relation.coercion import as_boolean, as_integer, as_number, as_text
from escudo.spl.relation.sql import (
    case_when,
    coalesce,
    equal,
    literal_integer,
    literal_text,
    prelude_call,
    text_array,
)
from escudo.spl.relation.values import Typed, constant_of, is_null, is_numeric_text, text_value

_PAGE = "ConversionFunctions"
_CRYPTO = "CryptographicFunctions"
_STRING = FieldType.STRING
_FORMATS = ("binary", "hex", "commas", "duration")


def _ipmask(args: list[Typed], context: Context) -> Typed:
    mask = constant_text(args, 0, context, "the mask")
    try:
        number = int(ipaddress.IPv4Address(mask))
    except ValueError as e:
        raise context.error(f"{mask!r} is not a mask", hint=str(e)) from None
    address = as_text(args[1])
    return Typed(prelude_call("spl_ipmask", address, literal_integer(number)), _STRING)


def _printf(args: list[Typed], _: Context) -> Typed:
    values = [coalesce(as_text(a), literal_text("")) for a in args[1:]]
    return Typed(prelude_call("spl_printf", as_text(args[0]), text_array(values)), _STRING)


def _tonumber(args: list[Typed], context: Context) -> Typed:
    value = args[0]
    if len(args) == 1:
        return Typed(as_number(value), FieldType.NUMBER)
    base = constant_of(args[1])
    if base is not None and not (is_numeric_text(str(base)) and 2 <= float(base) <= 36):
        raise context.error("the base of tonumber() is a number from 2 to 36")
    if base is not None and float(base) == 16:
        return Typed(prelude_call("spl_parse_hex", as_text(value)), FieldType.NUMBER)
    parsed = prelude_call("spl_parse_base", as_text(value), as_integer(args[1]))
    return Typed(parsed, FieldType.NUMBER)


def _tostring(args: list[Typed], context: Context) -> Typed:
    value = args[0]
    if len(args) == 1:
        if is_null(value):
            return text_value("Null")
        return Typed(as_text(value), _STRING)
    if constant_of(args[1]) is None:
        chosen = as_text(args[1])
        branches = [(equal(chosen, literal_text(f)), _formatted(f, value)) for f in _FORMATS]
        return Typed(case_when(*branches), _STRING)
    wanted = constant_text(args, 1, context, "the format")
    if wanted not in _FORMATS:
        raise context.error(f"unknown format {wanted!r}", hint=f"one of {', '.join(_FORMATS)}")
    return Typed(_formatted(wanted, value), _STRING)


def _formatted(wanted: str, value: Typed) -> exp.Expression:
    return prelude_call(f"spl_{wanted}", as_number(value))


def _tobool(args: list[Typed], _: Context) -> Typed:
    return Typed(as_boolean(args[0]), FieldType.BOOLEAN)


def _toint(args: list[Typed], context: Context) -> Typed:
    numbers = _tonumber(args, context)
    return Typed(as_integer(numbers), FieldType.INTEGER)


def _json_of(kind: str) -> EvalFunction:
    """``toarray`` and ``toobject``: JSON text of that kind, else null."""

    def build(args: list[Typed], _: Context) -> Typed:
        value = args[0]
        if kind == "array" and value.type is FieldType.MULTIVALUE:
            return json_typed(prelude_call("spl_json_array", value.sql))
        text = value.sql if is_json(value) else as_text(value)
        return json_typed(prelude_call(f"spl_json_{kind}_or_null", text))

    return EvalFunction(f"to{kind}", 1, 1, f"json {kind}", build, _PAGE)


def _tomv(args: list[Typed], _: Context) -> Typed:
    value = args[0]
    if value.type is FieldType.MULTIVALUE:
        return value
    return Typed(prelude_call("spl_json_array_to_mv", as_text(value)), FieldType.MULTIVALUE)


CONVERSION = (
    EvalFunction("ipmask", 2, 2, "string", _ipmask, _PAGE),
    EvalFunction("printf", 1, None, "string", _printf, _PAGE, Nulls.OWN),
    _json_of("array"),
    EvalFunction("tobool", 1, 1, "boolean", _tobool, _PAGE),
    EvalFunction("todouble", 1, 2, "number", _tonumber, _PAGE),
    EvalFunction("toint", 1, 2, "integer", _toint, _PAGE),
    EvalFunction("tomv", 1, 1, "multivalue", _tomv, _PAGE),
    EvalFunction("tonumber", 1, 2, "number", _tonumber, _PAGE),
    _json_of("object"),
    EvalFunction("tostring", 1, 2, "string", _tostring, _PAGE, Nulls.OWN),
    *(
        EvalFunction(name, 1, 1, "string", text_to(_STRING, f"spl_{name}"), _CRYPTO)
        for name in ("md5", "sha1", "sha256", "sha512")
    ),
)
