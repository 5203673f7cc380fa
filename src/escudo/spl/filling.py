"""A value in place of null."""

from __future__ import annotations

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.plan import Typed


def filled_with(value: Typed | None, text: str) -> Typed:
    """The value, or the text where it is null; a number stays one if the text is one.

    >>> filled_with(Typed(exp.column("n"), FieldType.INTEGER), "0").sql.sql("duckdb")
    'COALESCE(n, 0)'
    """
    if value is None or coerce.is_null(value):
        return coerce.text(text)
    if value.type in coerce.NUMERIC and coerce.is_numeric_text(text):
        number = float(text)
        if value.type is FieldType.INTEGER and number == int(number):
            return _coalesce(value.sql, coerce.literal_integer(int(number)), value.type)
        sql = coerce.as_number(value)
        return _coalesce(sql, coerce.literal_number(number), FieldType.NUMBER)
    if value.type is FieldType.MULTIVALUE:
        one = exp.Array(expressions=[coerce.literal_text(text)])
        return _coalesce(value.sql, one, FieldType.MULTIVALUE)
    return _coalesce(coerce.as_text(value), coerce.literal_text(text), FieldType.STRING)


def _coalesce(sql: exp.Expression, otherwise: exp.Expression, kind: FieldType) -> Typed:
    return Typed(exp.Coalesce(this=sql, expressions=[otherwise]), kind)
