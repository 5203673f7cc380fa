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


def or_else(value: Typed, otherwise: Typed | None) -> Typed:
    """The value, or another one where it is null; of the type that holds both."""
    if otherwise is None or coerce.is_null(otherwise):
        return value
    kind = coerce.unify((value, otherwise))
    return _coalesce(coerce.convert(value, kind), coerce.convert(otherwise, kind).copy(), kind)


def only_if(condition: exp.Expression, value: Typed | None) -> Typed:
    """The value where a condition holds, else null."""
    if value is None:
        return coerce.null()
    case = exp.Case(ifs=[exp.If(this=condition.copy(), true=value.sql)])
    return Typed(case, value.type)
