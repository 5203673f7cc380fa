"""SPL's values in SQL: types, text and number conversions, comparisons and wildcards.

The SQL type of each field type (inside a query): STRING ``VARCHAR``, NUMBER and TIME ``DOUBLE``
(TIME in epoch seconds), INTEGER ``BIGINT``, BOOLEAN ``BOOLEAN``, MULTIVALUE ``VARCHAR[]``. An empty
list never stands for a field: a multivalue field without values is NULL.

What plain SQL cannot say the same way everywhere is a call of a named function ``spl_...``; each
engine defines these names in its prelude.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.plan import Typed

SQL_TYPES: Mapping[FieldType, str] = {
    FieldType.STRING: "VARCHAR",
    FieldType.NUMBER: "DOUBLE",
    FieldType.TIME: "DOUBLE",
    FieldType.INTEGER: "BIGINT",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.MULTIVALUE: "ARRAY<VARCHAR>",
}
NUMERIC = frozenset({FieldType.NUMBER, FieldType.INTEGER, FieldType.TIME})

_DATA_TYPES: Mapping[FieldType, exp.DataType] = {
    kind: exp.DataType.build(text) for kind, text in SQL_TYPES.items()
}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LIKE_ESCAPE = "!"


def sql_type(kind: FieldType) -> exp.DataType:
    """The SQL type of a field type, as a fresh SQLGlot node."""
    return _DATA_TYPES[kind].copy()


def cast(sql: exp.Expression, kind: FieldType) -> exp.Expression:
    """``CAST(sql AS type)``.

    >>> cast(exp.column("a"), FieldType.NUMBER).sql("duckdb")
    'CAST(a AS DOUBLE)'
    """
    return exp.Cast(this=sql, to=sql_type(kind))


def call(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A call of one of the engines' prelude functions.

    >>> call("spl_num", exp.column("a")).sql("duckdb")
    'SPL_NUM(a)'
    """
    return exp.Anonymous(this=name, expressions=list(arguments))


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


def literal_text(value: str) -> exp.Expression:
    """A SQL string literal.

    >>> literal_text("it's").sql("duckdb")
    "'it''s'"
    """
    return exp.Literal.string(value)


def literal_integer(value: int) -> exp.Expression:
    number: exp.Expression = exp.Literal.number(abs(value))
    return exp.Neg(this=number) if value < 0 else number


def literal_number(value: float) -> exp.Expression:
    """A DOUBLE literal: written with an exponent, since ``0.1`` is a decimal in SQL.

    >>> literal_number(5).sql("duckdb"), literal_number(-0.5).sql("spark")
    ('5e0', '-0.5e0')
    """
    text = repr(abs(float(value))).removesuffix(".0")
    number: exp.Expression = exp.Literal.number(text if "e" in text else f"{text}e0")
    return exp.Neg(this=number) if value < 0 else number


def null(kind: FieldType = FieldType.STRING) -> Typed:
    """SPL's null. A field that does not exist is one, too."""
    return Typed(exp.Cast(this=exp.Null(), to=sql_type(kind)), kind)


def is_null(value: Typed) -> bool:
    """Whether an expression is the constant null.

    >>> is_null(null()), is_null(text("a"))
    (True, False)
    """
    sql = value.sql
    return isinstance(sql, exp.Null) or (
        isinstance(sql, exp.Cast) and isinstance(sql.this, exp.Null)
    )


def text(value: str) -> Typed:
    return Typed(literal_text(value), FieldType.STRING)


def number(value: float) -> Typed:
    return Typed(literal_number(value), FieldType.NUMBER)


def constant(value: Typed) -> str | float | None:
    """The Python value of a literal expression (text or a number), else None.

    >>> constant(text("a")), constant(number(-5)), constant(null())
    ('a', -5.0, None)
    """
    sql, sign = value.sql, 1
    if isinstance(sql, exp.Neg):
        sql, sign = sql.this, -1
    if not isinstance(sql, exp.Literal):
        return None
    return str(sql.this) if sql.is_string else sign * float(sql.this)


def as_text(value: Typed) -> exp.Expression:
    """The value as text; a multivalue gives its only value, or NULL if it has several.

    >>> as_text(number(5)).sql(), as_text(Typed(exp.column("n"), FieldType.NUMBER)).sql()
    ("'5'", 'SPL_TEXT(n)')
    """
    if is_null(value):
        return null().sql
    known = constant(value)
    if isinstance(known, float):
        return literal_text(number_text(known))
    match value.type:
        case FieldType.STRING:
            return value.sql
        case FieldType.NUMBER | FieldType.TIME:
            return call("spl_text", value.sql)
        case FieldType.INTEGER:
            return cast(value.sql, FieldType.STRING)
        case FieldType.BOOLEAN:
            return call("spl_bool_text", value.sql)
        case FieldType.MULTIVALUE:
            return call("spl_single", value.sql)


def as_number(value: Typed) -> exp.Expression:
    """The value as a DOUBLE; NULL for text that is not a number.

    >>> as_number(text("1.5")).sql(), as_number(Typed(exp.column("s"), FieldType.STRING)).sql()
    ('1.5e0', 'SPL_NUM(s)')
    """
    if is_null(value):
        return null(FieldType.NUMBER).sql
    known = constant(value)
    if isinstance(known, str):
        if is_numeric_text(known):
            return literal_number(float(known))
        return null(FieldType.NUMBER).sql
    match value.type:
        case FieldType.NUMBER | FieldType.TIME:
            return value.sql
        case FieldType.INTEGER | FieldType.BOOLEAN:
            if isinstance(known, float):
                return literal_number(known)
            return cast(value.sql, FieldType.NUMBER)
        case _:
            return call("spl_num", as_text(value))


def as_integer(value: Typed) -> exp.Expression:
    """The value as a BIGINT, decimals cut off; NULL for text that is not a number."""
    known = constant(value)
    if isinstance(known, float) or (isinstance(known, str) and is_numeric_text(known)):
        return literal_integer(int(float(known)))
    if value.type is FieldType.INTEGER:
        return value.sql
    return call("spl_int", as_number(value))


def as_boolean(value: Typed) -> exp.Expression:
    """The value as a condition: numbers are true unless 0, text is true if it says so.

    >>> as_boolean(number(1)).sql()
    '1e0 <> 0e0'
    """
    if is_null(value):
        return null(FieldType.BOOLEAN).sql
    if value.type is FieldType.BOOLEAN:
        return value.sql
    if value.type in NUMERIC:
        return exp.NEQ(this=as_number(value), expression=literal_number(0))
    return call("spl_bool", as_text(value))


def as_list(value: Typed) -> exp.Expression:
    """The value as a list of text; NULL stays NULL.

    >>> as_list(text("a")).sql("duckdb")
    "['a']"
    """
    if is_null(value):
        return null(FieldType.MULTIVALUE).sql
    if value.type is FieldType.MULTIVALUE:
        return value.sql
    plain = as_text(value)
    if isinstance(plain, exp.Literal):
        return exp.Array(expressions=[plain])
    return call("spl_list", plain)


def text_array(values: Sequence[exp.Expression]) -> exp.Expression:
    """A list of texts; an empty one keeps its type.

    >>> text_array([]).sql("duckdb")
    'CAST([] AS TEXT[])'
    """
    array: exp.Expression = exp.Array(expressions=list(values))
    return array if values else exp.Cast(this=array, to=sql_type(FieldType.MULTIVALUE))


def convert(value: Typed, kind: FieldType) -> exp.Expression:
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


def unify(values: Iterable[Typed]) -> FieldType:
    """The type that can hold every one of the values; constant nulls have no say.

    >>> unify([number(1), null()]), unify([number(1), text("a")])
    (<FieldType.NUMBER: 'number'>, <FieldType.STRING: 'string'>)
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


def or_all(conditions: Iterable[exp.Expression]) -> exp.Expression:
    """OR of conditions, a balanced tree so that long lists do not nest deeply."""
    return balanced(list(conditions), exp.Or, exp.false())


def and_all(conditions: Iterable[exp.Expression]) -> exp.Expression:
    """AND of conditions, a balanced tree."""
    return balanced(list(conditions), exp.And, exp.true())


def balanced(
    items: list[exp.Expression], node: Callable[..., exp.Expression], empty: exp.Expression
) -> exp.Expression:
    """The items joined by an associative operator, as a tree that is not deep."""
    if not items:
        return empty
    while len(items) > 1:
        items = [
            node(this=paren(items[i]), expression=paren(items[i + 1]))
            if i + 1 < len(items)
            else items[i]
            for i in range(0, len(items), 2)
        ]
    return items[0]


def paren(sql: exp.Expression) -> exp.Expression:
    """The expression in parentheses where its operator could bind wrongly inside another.

    >>> paren(exp.Or(this=exp.column("a"), expression=exp.column("b"))).sql()
    '(a OR b)'
    """
    if isinstance(sql, exp.Paren | exp.Dot):
        return sql
    if isinstance(sql, exp.Connector):
        return exp.Paren(this=sql)
    operators = exp.Binary | exp.Unary | exp.Between | exp.In | exp.Escape
    if isinstance(sql, operators) and not isinstance(sql, exp.Func):
        return exp.Paren(this=sql)
    return sql


def like(column: exp.Expression, pattern: str, *, fold: bool) -> exp.Expression:
    """Whether text matches a search pattern, in which ``*`` stands for any characters.

    ``fold`` compares without regard to case; ``column`` must be lower-cased then. The cheapest
    form is chosen: equality, prefix, suffix, contains, or LIKE with an explicit ESCAPE.

    >>> c = exp.column("p")
    >>> like(c, "CMD.exe", fold=True).sql("duckdb")
    "p = 'cmd.exe'"
    >>> like(c, "*cmd*", fold=False).sql("duckdb")
    "CONTAINS(p, 'cmd')"
    >>> like(c, "a*b_c*", fold=False).sql("duckdb")
    "p LIKE 'a%b!_c%' ESCAPE '!'"
    """
    wanted = pattern.lower() if fold else pattern
    parts = re.split(r"\*+", wanted)
    if len(parts) == 1:
        return exp.EQ(this=column, expression=literal_text(wanted))
    if not any(parts):
        return exp.Not(this=exp.Is(this=column, expression=exp.Null()))
    return _wildcards(column, parts)


def like_sql(column: exp.Expression, pattern: str) -> exp.Expression:
    """Eval's LIKE: ``%`` any characters, ``_`` one character, a backslash is itself.

    (Search Reference, Comparison and Conditional functions: like.)

    >>> like_sql(exp.column("p"), "C:\\\\%").sql("duckdb")
    "STARTS_WITH(p, 'C:\\\\')"
    """
    if "_" in pattern:
        escaped = pattern.replace(_LIKE_ESCAPE, _LIKE_ESCAPE * 2)
        return _like(column, escaped)
    parts = re.split("%+", pattern)
    if len(parts) == 1:
        return exp.EQ(this=column, expression=literal_text(pattern))
    if not any(parts):
        return exp.Not(this=exp.Is(this=column, expression=exp.Null()))
    return _wildcards(column, parts)


def _wildcards(column: exp.Expression, parts: list[str]) -> exp.Expression:
    """A match of ``parts[0]``, anything, ``parts[1]``, ... of which at least one is not empty."""
    head, *middle, tail = parts
    if not head and not tail and len(middle) == 1:
        return exp.Contains(this=column, expression=literal_text(middle[0]))
    if not middle and not tail:
        return exp.StartsWith(this=column, expression=literal_text(head))
    if not middle and not head:
        return exp.EndsWith(this=column, expression=literal_text(tail))
    return _like(column, "%".join(re.sub(r"[!%_]", r"!\g<0>", part) for part in parts))


def _like(column: exp.Expression, pattern: str) -> exp.Expression:
    return exp.Escape(
        this=exp.Like(this=column, expression=literal_text(pattern)),
        expression=literal_text(_LIKE_ESCAPE),
    )


COMPARISONS: Mapping[str, Callable[..., exp.Expression]] = {
    "=": exp.EQ,
    "==": exp.EQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    ">": exp.GT,
    "<=": exp.LTE,
    ">=": exp.GTE,
}


def compare(op: str, left: Typed, right: Typed) -> exp.Expression:
    """Eval's comparison: as numbers if both sides look like numbers, else as text.

    A multivalue side compares true if any of its values does; null on either side gives null.
    (Search Reference, eval: operators; where.)

    >>> s = Typed(exp.column("s"), FieldType.STRING)
    >>> compare("=", s, text("a")).sql("duckdb")
    "s = 'a'"
    >>> compare(">", s, number(5)).sql("duckdb")
    "COALESCE(SPL_NUM(s) > 5e0, s > '5')"
    """
    node = COMPARISONS[op]
    if is_null(left) or is_null(right):
        return null(FieldType.BOOLEAN).sql
    if left.type is FieldType.MULTIVALUE:
        return any_value(left.sql, lambda v: compare(op, v, right))
    if right.type is FieldType.MULTIVALUE:
        return any_value(right.sql, lambda v: compare(op, left, v))
    if left.type in NUMERIC and right.type in NUMERIC:
        return node(this=_beside(left, right), expression=_beside(right, left))
    if FieldType.BOOLEAN in (left.type, right.type):
        return _compare_boolean(node, left, right)
    by_text = node(this=paren(as_text(left)), expression=paren(as_text(right)))
    if _never_numeric(left) or _never_numeric(right):
        return by_text
    by_number = node(this=as_number(left).copy(), expression=as_number(right).copy())
    return exp.Coalesce(this=by_number, expressions=[by_text])


_EXACT = 2.0**53


def _beside(value: Typed, other: Typed) -> exp.Expression:
    """A number to compare with another. A whole constant beside an integer is one, too: a cast of
    the column would keep engines from using the comparison early.

    >>> n = Typed(exp.column("n"), FieldType.INTEGER)
    >>> compare(">", n, number(5)).sql("duckdb"), compare(">", n, number(0.5)).sql("duckdb")
    ('n > 5', 'n > 0.5e0')
    """
    known = constant(value)
    if not isinstance(known, float) or other.type is not FieldType.INTEGER:
        return paren(value.sql)
    whole = known.is_integer() and abs(known) < _EXACT
    return literal_integer(int(known)) if whole else value.sql


def _never_numeric(value: Typed) -> bool:
    known = constant(value)
    return isinstance(known, str) and not is_numeric_text(known)


def _compare_boolean(
    node: Callable[..., exp.Expression], left: Typed, right: Typed
) -> exp.Expression:
    if left.type is right.type:
        return node(this=paren(left.sql), expression=paren(right.sql))
    if left.type in NUMERIC or right.type in NUMERIC:
        return node(this=as_number(left), expression=as_number(right))
    return node(this=exp.Lower(this=as_text(left)), expression=exp.Lower(this=as_text(right)))


def any_value(
    values: exp.Expression, condition: Callable[[Typed], exp.Expression]
) -> exp.Expression:
    """Whether a condition holds for any value of a list; NULL for a NULL list.

    >>> print(any_value(exp.column("m"), lambda v: like(v.sql, "a", fold=False)).sql("duckdb"))
    SPL_LEN(LIST_FILTER(m, LAMBDA "_spl_1" : "_spl_1" = 'a')) > 0
    """
    kept = filter_values(values, condition)
    return exp.GT(this=call("spl_len", kept), expression=exp.Literal.number(0))


def filter_values(
    values: exp.Expression, condition: Callable[[Typed], exp.Expression]
) -> exp.Expression:
    """The values of a list for which a condition holds (an empty list if there is none)."""
    return exp.ArrayFilter(this=values, expression=_lambda(condition))


def map_values(values: exp.Expression, body: Callable[[Typed], exp.Expression]) -> exp.Expression:
    """A list with an expression over each value; a NULL list stays NULL."""
    return exp.Transform(this=values, expression=_lambda(body))


def _lambda(body: Callable[[Typed], exp.Expression]) -> exp.Expression:
    """A lambda whose parameter is unlike those of the lambdas inside it.

    While the body is built, its parameter has a name that only this call uses.
    """
    marker = object()
    placeholder = f"?{id(marker)}"
    built = body(Typed(exp.column(placeholder, quoted=True), FieldType.STRING))
    depth = sum(1 for _ in built.find_all(exp.Lambda))
    name = f"_spl_{depth + 1}"
    for identifier in list(built.find_all(exp.Identifier)):
        if identifier.this == placeholder:
            identifier.set("this", name)
    return exp.Lambda(this=built, expressions=[exp.to_identifier(name, quoted=True)])
