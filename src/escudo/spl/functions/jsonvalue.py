"""A value -> JSON text, for the functions that make JSON.

In a query JSON is text. ``JsonText`` marks text that a JSON function made, so that it is nested as
it is and not quoted as a string when another JSON function takes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.sql import literal_text, lower_case, prelude_call
from escudo.spl.relation.values import NUMERIC, Typed, is_null


@dataclass(frozen=True)
class JsonText(Typed):
    """Text that is JSON by its making."""


def json_typed(sql: exp.Expression) -> Typed:
    return JsonText(sql, FieldType.STRING)


def is_json(value: Typed) -> bool:
    return isinstance(value, JsonText)


def as_json(value: Typed) -> exp.Expression:
    """The value as JSON text: numbers and booleans bare, text in quotes, a list as an array.

    >>> from escudo.spl.relation.values import number_value, text_value
    >>> as_json(number_value(5)).sql(), as_json(text_value("a")).sql()
    ("'5'", "SPL_JSON_QUOTE('a')")
    """
    if is_null(value):
        return literal_text("null")
    if is_json(value):
        return value.sql
    if value.type in NUMERIC:
        return as_text(value)
    match value.type:
        case FieldType.BOOLEAN:
            return lower_case(as_text(value))
        case FieldType.MULTIVALUE:
            return prelude_call("spl_json_array", value.sql)
        case _:
            return prelude_call("spl_json_quote", value.sql)
