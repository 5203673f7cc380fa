"""A value, or another one where it is null; ``fillnull``, joins and extractions call it."""

from __future__ import annotations

from escudo.core.schema import FieldType
from escudo.spl.relation.coercion import as_number, as_text, common_type, convert_to
from escudo.spl.relation.sql import (
    coalesce,
    list_of,
    literal_integer,
    literal_number,
    literal_text,
)
from escudo.spl.relation.values import NUMERIC, Typed, is_null, is_numeric_text, text_value


def fill_null(value: Typed | None, text: str) -> Typed:
    """The value, or the text where it is null; a number stays one if the text is one.

    >>> from sqlglot import exp
    >>> fill_null(Typed(exp.column("n"), FieldType.INTEGER), "0").sql.sql("duckdb")
    'COALESCE(n, 0)'
    """
    if value is None or is_null(value):
        return text_value(text)
    if value.type in NUMERIC and is_numeric_text(text):
        number = float(text)
        if value.type is FieldType.INTEGER and number == int(number):
            return Typed(coalesce(value.sql, literal_integer(int(number))), value.type)
        return Typed(coalesce(as_number(value), literal_number(number)), FieldType.NUMBER)
    if value.type is FieldType.MULTIVALUE:
        return Typed(coalesce(value.sql, list_of([literal_text(text)])), FieldType.MULTIVALUE)
    return Typed(coalesce(as_text(value), literal_text(text)), FieldType.STRING)


def fill_from(value: Typed, otherwise: Typed | None) -> Typed:
    """The value, or another one where it is null; of the type that holds both."""
    if otherwise is None or is_null(otherwise):
        return value
    kind = common_type((value, otherwise))
    return Typed(coalesce(convert_to(value, kind), convert_to(otherwise, kind).copy()), kind)
