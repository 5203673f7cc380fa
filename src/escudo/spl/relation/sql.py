"""Small builders of SQLGlot nodes, for everything that makes SQL.

The SQL type of each field type (inside a query): STRING ``VARCHAR``, NUMBER and TIME ``DOUBLE``
(TIME in epoch seconds), INTEGER ``BIGINT``, BOOLEAN ``BOOLEAN``, MULTIVALUE ``VARCHAR[]``. An empty
list never stands for a field: a multivalue field without values is NULL.

What plain SQL cannot say the same way everywhere is a call of a named function ``spl_...``; each
engine defines these names in its prelude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp

from escudo.core.schema import FieldType


def identifier(ident: str) -> exp.Identifier:
    return exp.Identifier(this=ident, quoted=True)


def column(ident: str) -> exp.Column:
    return exp.Column(this=identifier(ident))


def alias(sql: exp.Expression, ident: str) -> exp.Alias:
    return exp.Alias(this=sql, alias=identifier(ident))


def table(name: str) -> exp.Table:
    return exp.Table(this=identifier(name))


def select(
    expressions: Sequence[exp.Expression], source: exp.Expression, *, star: bool = False
) -> exp.Select:
    """``SELECT [*,] expressions FROM source``; a query becomes a subquery."""
    if isinstance(source, exp.Query) and not isinstance(source, exp.Subquery | exp.Table):
        source = exp.Subquery(this=source, alias=exp.TableAlias(this=identifier("q")))
    items = [exp.Star(), *expressions] if star else list(expressions)
    return exp.Select(expressions=items, from_=exp.From(this=source))


def conjunction(conditions: Iterable[exp.Expression]) -> exp.Expression | None:
    out: exp.Expression | None = None
    for c in conditions:
        wrapped = exp.Paren(this=c) if isinstance(c, exp.Or) else c
        out = wrapped if out is None else exp.And(this=out, expression=wrapped)
    return out


SQL_TYPES: Mapping[FieldType, str] = {
    FieldType.STRING: "VARCHAR",
    FieldType.NUMBER: "DOUBLE",
    FieldType.TIME: "DOUBLE",
    FieldType.INTEGER: "BIGINT",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.MULTIVALUE: "ARRAY<VARCHAR>",
}

_DATA_TYPES: Mapping[FieldType, exp.DataType] = {
    kind: exp.DataType.build(text) for kind, text in SQL_TYPES.items()
}


def sql_type(kind: FieldType) -> exp.DataType:
    """The SQL type of a field type, as a fresh SQLGlot node."""
    return _DATA_TYPES[kind].copy()


def cast_to(sql: exp.Expression, kind: FieldType) -> exp.Expression:
    """``CAST(sql AS type)``.

    >>> cast_to(exp.column("a"), FieldType.NUMBER).sql("duckdb")
    'CAST(a AS DOUBLE)'
    """
    return exp.Cast(this=sql, to=sql_type(kind))


def prelude_call(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A call of one of the engines' prelude functions.

    >>> prelude_call("spl_num", exp.column("a")).sql("duckdb")
    'SPL_NUM(a)'
    """
    return exp.Anonymous(this=name, expressions=list(arguments))


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


def text_array(values: Sequence[exp.Expression]) -> exp.Expression:
    """A list of texts; an empty one keeps its type.

    >>> text_array([]).sql("duckdb")
    'CAST([] AS TEXT[])'
    """
    array: exp.Expression = exp.Array(expressions=list(values))
    return array if values else exp.Cast(this=array, to=sql_type(FieldType.MULTIVALUE))


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
            node(this=parenthesise(items[i]), expression=parenthesise(items[i + 1]))
            if i + 1 < len(items)
            else items[i]
            for i in range(0, len(items), 2)
        ]
    return items[0]


def parenthesise(sql: exp.Expression) -> exp.Expression:
    """The expression in parentheses where its operator could bind wrongly inside another.

    >>> parenthesise(exp.Or(this=exp.column("a"), expression=exp.column("b"))).sql()
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
