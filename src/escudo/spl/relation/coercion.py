"""A value of one SPL type -> SQL of another: what every operator and function does first."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.sql import (
    cast_to,
    list_of,
    literal_integer,
    literal_number,
    literal_text,
    prelude_call,
    unequal,
)
from escudo.spl.relation.values import (
    NUMERIC,
    Typed,
    constant_of,
    is_null,
    is_numeric_text,
    null_value,
    number_text,
)

_TOO_LARGE = 9.2e18
"""For a BIGINT, as ``spl_int`` of the engines' preludes has it."""


def as_text(value: Typed) -> exp.Expression:
    """The value as text; a multivalue gives its only value, or NULL if it has several.

    >>> from escudo.spl.relation.values import number_value
    >>> as_text(number_value(5)).sql(), as_text(Typed(exp.column("n"), FieldType.NUMBER)).sql()
    ("'5'", 'SPL_TEXT(n)')
    """
    if is_null(value):
        return null_value().sql
    known = constant_of(value)
    if isinstance(known, float):
        return literal_text(number_text(known))
    match value.type:
        case FieldType.STRING:
            return value.sql
        case FieldType.NUMBER | FieldType.TIME:
            return prelude_call("spl_text", value.sql)
        case FieldType.INTEGER:
            return cast_to(value.sql, FieldType.STRING)
        case FieldType.BOOLEAN:
            return prelude_call("spl_bool_text", value.sql)
        case FieldType.MULTIVALUE:
            return prelude_call("spl_single", value.sql)


def as_number(value: Typed) -> exp.Expression:
    """The value as a DOUBLE; NULL for text that is not a number.

    >>> from escudo.spl.relation.values import text_value
    >>> s = Typed(exp.column("s"), FieldType.STRING)
    >>> as_number(text_value("1.5")).sql(), as_number(s).sql()
    ('1.5e0', 'SPL_NUM(s)')
    """
    if is_null(value):
        return null_value(FieldType.NUMBER).sql
    known = constant_of(value)
    if isinstance(known, str):
        if is_numeric_text(known):
            return literal_number(float(known))
        return null_value(FieldType.NUMBER).sql
    match value.type:
        case FieldType.NUMBER | FieldType.TIME:
            return value.sql
        case FieldType.INTEGER | FieldType.BOOLEAN:
            if isinstance(known, float):
                return literal_number(known)
            return cast_to(value.sql, FieldType.NUMBER)
        case _:
            return prelude_call("spl_num", as_text(value))


def as_integer(value: Typed) -> exp.Expression:
    """The value as a BIGINT, decimals cut off; NULL for text that is not a number, and for a number
    that is larger."""
    known = constant_of(value)
    if isinstance(known, float) or (isinstance(known, str) and is_numeric_text(known)):
        number = float(known)
        if abs(number) < _TOO_LARGE:
            return literal_integer(int(number))
        return null_value(FieldType.INTEGER).sql
    if value.type is FieldType.INTEGER:
        return value.sql
    return prelude_call("spl_int", as_number(value))


def as_boolean(value: Typed) -> exp.Expression:
    """The value as a condition: numbers are true unless 0, text is true if it says so.

    >>> from escudo.spl.relation.values import number_value
    >>> as_boolean(number_value(1)).sql()
    '1e0 <> 0e0'
    """
    if is_null(value):
        return null_value(FieldType.BOOLEAN).sql
    if value.type is FieldType.BOOLEAN:
        return value.sql
    if value.type in NUMERIC:
        return unequal(as_number(value), literal_number(0))
    return prelude_call("spl_bool", as_text(value))


def as_list(value: Typed) -> exp.Expression:
    """The value as a list of text; NULL stays NULL.

    >>> from escudo.spl.relation.values import text_value
    >>> as_list(text_value("a")).sql("duckdb")
    "['a']"
    """
    if is_null(value):
        return null_value(FieldType.MULTIVALUE).sql
    if value.type is FieldType.MULTIVALUE:
        return value.sql
    plain = as_text(value)
    if isinstance(plain, exp.Literal):
        return list_of([plain])
    return prelude_call("spl_list", plain)


def convert_to(value: Typed, kind: FieldType) -> exp.Expression:
    """The value as SQL of another field type."""
    match kind:
        case FieldType.STRING:
            return as_text(value)
        case FieldType.NUMBER | FieldType.TIME:
            return as_number(value)
        case FieldType.INTEGER:
            return as_integer(value)
        case FieldType.BOOLEAN:
            return as_boolean(value)
        case FieldType.MULTIVALUE:
            return as_list(value)


def common_type(values: Iterable[Typed]) -> FieldType:
    """The type that can hold every one of the values; constant nulls have no say.

    >>> from escudo.spl.relation.values import number_value, text_value
    >>> common_type([number_value(1), null_value()])
    <FieldType.NUMBER: 'number'>
    >>> common_type([number_value(1), text_value("a")])
    <FieldType.STRING: 'string'>
    """
    kinds = {v.type for v in values if not is_null(v)}
    if not kinds:
        return FieldType.STRING
    if len(kinds) == 1:
        return kinds.pop()
    if FieldType.MULTIVALUE in kinds:
        return FieldType.MULTIVALUE
    if kinds <= NUMERIC:
        return FieldType.NUMBER
    return FieldType.STRING
