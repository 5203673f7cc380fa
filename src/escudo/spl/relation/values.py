"""SPL's values in SQL: an expression with its type, constants, null, and text that is a number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.sql import cast_to, column, literal_number, literal_text


@dataclass(frozen=True)
class Typed:
    """A scalar SQL expression with its SPL type."""

    sql: exp.Expression
    type: FieldType


@dataclass(frozen=True)
class Bound:
    """A field of a relation: its SQL identifier there, and its type.

    ``lower`` is the identifier of a lower-cased copy of the same values, where one exists;
    ``stamp`` that of the same time as a SQL timestamp, whose order is that of the field.
    """

    ident: str
    type: FieldType
    lower: str | None = None
    stamp: str | None = None

    def typed(self) -> Typed:
        return Typed(column(self.ident), self.type)


NUMERIC = frozenset({FieldType.NUMBER, FieldType.INTEGER, FieldType.TIME})

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def is_numeric_text(text: str) -> bool:
    """Whether text looks like a number to SPL: decimal, optional exponent, no blanks around it.

    (Search Reference, Conversion functions: ``tonumber`` gives NULL for a padded value.)

    >>> [is_numeric_text(t) for t in ("5", "-1.5e3", ".5", " 5", "0x10", "1_000", "nan", "")]
    [True, True, True, False, False, False, False, False]
    """
    return _NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


def number_text(value: float) -> str:
    """A number as SPL prints it: no ``.0``, at most 15 significant digits.

    >>> [number_text(v) for v in (5.0, 0.1 + 0.2, -3, 1e20)]
    ['5', '0.3', '-3', '100000000000000000000']
    """
    if isinstance(value, int) or (
        math.isfinite(value) and value == int(value) and abs(value) < 1e38
    ):
        return str(int(value))
    return f"{value:.15g}"


def null_value(kind: FieldType = FieldType.STRING) -> Typed:
    """SPL's null. A field that does not exist is one, too."""
    return Typed(cast_to(exp.null(), kind), kind)


def is_null(value: Typed) -> bool:
    """Whether an expression is the constant null.

    >>> is_null(null_value()), is_null(text_value("a"))
    (True, False)
    """
    sql = value.sql
    return isinstance(sql, exp.Null) or (
        isinstance(sql, exp.Cast) and isinstance(sql.this, exp.Null)
    )


def text_value(value: str) -> Typed:
    return Typed(literal_text(value), FieldType.STRING)


def number_value(value: float) -> Typed:
    return Typed(literal_number(value), FieldType.NUMBER)


def constant_of(value: Typed) -> str | float | None:
    """The Python value of a literal expression (text or a number), else None.

    >>> constant_of(text_value("a")), constant_of(number_value(-5)), constant_of(null_value())
    ('a', -5.0, None)
    """
    sql, sign = value.sql, 1
    if isinstance(sql, exp.Neg):
        sql, sign = sql.this, -1
    if not isinstance(sql, exp.Literal):
        return None
    return str(sql.this) if sql.is_string else sign * float(sql.this)
