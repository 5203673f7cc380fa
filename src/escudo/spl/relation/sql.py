"""SQLGlot nodes from their parts, for everything that makes SQL.

The SQL type of each field type (inside a query): STRING ``VARCHAR``, NUMBER and TIME ``DOUBLE``
(TIME in epoch seconds), INTEGER ``BIGINT``, BOOLEAN ``BOOLEAN``, MULTIVALUE ``VARCHAR[]``. An empty
list never stands for a field: a multivalue field without values is NULL.

What plain SQL cannot say the same way everywhere is a call of a named function ``spl_...``; each
engine defines these names in its prelude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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


def filter_rows(query: exp.Select, condition: exp.Expression) -> None:
    """Give a query its WHERE, in place of one that it has."""
    query.set("where", exp.Where(this=condition))


def order_rows(query: exp.Select, keys: Sequence[exp.Expression]) -> None:
    """Give a query its ORDER BY; without keys it has none."""
    if keys:
        query.set("order", exp.Order(expressions=list(keys)))


def limit_rows(query: exp.Select, count: int) -> None:
    """Give a query its LIMIT."""
    query.set("limit", exp.Limit(expression=literal_integer(count)))


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


# --- conditions of three values -----------------------------------------------------------------


def is_true(sql: exp.Expression) -> bool:
    """Whether a condition is the constant TRUE."""
    return isinstance(sql, exp.Boolean) and bool(sql.this)


def is_false(sql: exp.Expression) -> bool:
    """Whether a condition is the constant FALSE."""
    return isinstance(sql, exp.Boolean) and not sql.this


def all_hold(conditions: Iterable[exp.Expression]) -> exp.Expression:
    """AND of conditions; constants fold, no condition is TRUE.

    >>> a, b = exp.column("a"), exp.column("b")
    >>> all_hold([a, exp.true(), exp.Or(this=a, expression=b)]).sql()
    'a AND (a OR b)'
    """
    parts = list(conditions)
    if any(is_false(p) for p in parts):
        return exp.false()
    return _connect(exp.And, [p for p in parts if not is_true(p)], exp.true())


def any_holds(conditions: Iterable[exp.Expression]) -> exp.Expression:
    """OR of conditions; constants fold, no condition is FALSE.

    >>> any_holds([exp.column("a"), exp.column("b"), exp.column("c")]).sql()
    'a OR b OR c'
    """
    parts = list(conditions)
    if any(is_true(p) for p in parts):
        return exp.true()
    return _connect(exp.Or, [p for p in parts if not is_false(p)], exp.false())


def list_operands(sql: exp.Connector) -> Iterator[exp.Expression]:
    """What an AND or OR connects, brackets taken off."""
    return (part for part in sql.flatten() if isinstance(part, exp.Expression))


def negate(sql: exp.Expression) -> exp.Expression:
    """NOT of a condition; a constant folds."""
    if isinstance(sql, exp.Boolean):
        return exp.false() if sql.this else exp.true()
    return exp.Not(this=exp.Paren(this=sql) if isinstance(sql, exp.Connector) else sql)


def _connect(
    kind: type[exp.And] | type[exp.Or], parts: Sequence[exp.Expression], empty: exp.Expression
) -> exp.Expression:
    items = [
        exp.Paren(this=p) if isinstance(p, exp.Connector) and not isinstance(p, kind) else p
        for p in parts
    ]
    return build_balanced(items, kind) if items else empty


def build_balanced(
    items: Sequence[exp.Expression], node: Callable[..., exp.Expression]
) -> exp.Expression:
    """One or more items joined by an associative operator, as a tree that is not deep."""
    level = list(items)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        joined: list[exp.Expression] = [node(this=a, expression=b) for a, b in pairs]
        level = joined if len(level) % 2 == 0 else [*joined, level[-1]]
    return level[0]


# --- values and conditions on them --------------------------------------------------------------


def case_when(
    *branches: tuple[exp.Expression, exp.Expression], otherwise: exp.Expression | None = None
) -> exp.Expression:
    """The value of the first branch whose condition holds; NULL without ``otherwise``.

    >>> case_when((exp.column("a"), literal_integer(1)), otherwise=literal_integer(0)).sql()
    'CASE WHEN a THEN 1 ELSE 0 END'
    """
    ifs = [exp.If(this=condition, true=value) for condition, value in branches]
    return exp.Case(ifs=ifs, default=otherwise)


def coalesce(first: exp.Expression, *others: exp.Expression) -> exp.Expression:
    """The first value that is not null."""
    return exp.Coalesce(this=first, expressions=list(others))


def has_no_value(sql: exp.Expression) -> exp.Expression:
    """``sql IS NULL``."""
    return exp.Is(this=sql, expression=exp.Null())


def has_value(sql: exp.Expression) -> exp.Expression:
    """``NOT sql IS NULL``."""
    return exp.Not(this=has_no_value(sql))


def count_values(sql: exp.Expression) -> exp.Expression:
    """``COUNT(sql)``: the rows in which it is not null."""
    return exp.Count(this=sql)


def sum_values(sql: exp.Expression) -> exp.Expression:
    """``SUM(sql)``."""
    return exp.Sum(this=sql)


def least_value(sql: exp.Expression) -> exp.Expression:
    """``MIN(sql)``."""
    return exp.Min(this=sql)


def greatest_value(sql: exp.Expression) -> exp.Expression:
    """``MAX(sql)``."""
    return exp.Max(this=sql)


def count_rows() -> exp.Expression:
    """``COUNT(*)``."""
    return exp.Count(this=exp.Star())


def equal(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left = right``."""
    return exp.EQ(this=left, expression=right)


def unequal(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left <> right``."""
    return exp.NEQ(this=left, expression=right)


def less_than(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left < right``."""
    return exp.LT(this=left, expression=right)


def at_most(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left <= right``."""
    return exp.LTE(this=left, expression=right)


def more_than(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left > right``."""
    return exp.GT(this=left, expression=right)


def at_least(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left >= right``."""
    return exp.GTE(this=left, expression=right)


def is_one_of(value: exp.Expression, options: Sequence[exp.Expression]) -> exp.Expression:
    """``value IN (options)``."""
    return exp.In(this=value, expressions=list(options))


MANY = 200
"""Texts from which on ``is_one_of_texts`` looks them up in a table of their own."""
_BETWEEN = "\x1f"


def is_one_of_texts(value: exp.Expression, texts: Sequence[str]) -> exp.Expression:
    """``value IN (texts)``; many of them as one literal that the engine takes apart, since it
    plans a list of 100,000 literals for a minute (2026-11).

    >>> is_one_of_texts(exp.column("a"), ["x", "y"]).sql("duckdb")
    "a IN ('x', 'y')"
    """
    if len(texts) < MANY or any(_BETWEEN in text for text in texts):
        return is_one_of(value, [literal_text(t) for t in texts])
    listed = prelude_call("spl_split", literal_text(_BETWEEN.join(texts)), literal_text(_BETWEEN))
    rows = exp.Select(expressions=[exp.Explode(this=listed)])
    return exp.In(this=value, query=exp.Subquery(this=rows))


def plus(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left + right``."""
    return exp.Add(this=left, expression=right)


def minus(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left - right``."""
    return exp.Sub(this=left, expression=right)


def times(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left * right``."""
    return exp.Mul(this=left, expression=right)


def divided_by(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left / right``."""
    return exp.Div(this=left, expression=right)


def concatenate(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """``left || right``: texts joined, NULL if one is."""
    return exp.DPipe(this=left, expression=right)


def null_if(value: exp.Expression, other: exp.Expression) -> exp.Expression:
    """The value, or NULL where it equals the other."""
    return exp.Nullif(this=value, expression=other)


def lower_case(text: exp.Expression) -> exp.Expression:
    """Text in lower case."""
    return exp.Lower(this=text)


def negative(sql: exp.Expression) -> exp.Expression:
    """``-sql``, in parentheses where its operator could bind wrongly."""
    return exp.Neg(this=parenthesise(sql))


def list_of(values: Sequence[exp.Expression]) -> exp.Expression:
    """A list of values, at least one."""
    return exp.Array(expressions=list(values))


def group_rows(query: exp.Select, keys: Iterable[exp.Expression]) -> exp.Select:
    """The query with ``GROUP BY keys``; without keys all its rows are one group."""
    return query.group_by(*(key.copy() for key in keys), copy=False)


def in_parentheses(sql: exp.Expression) -> exp.Expression:
    """``(sql)``, whatever it is."""
    return exp.Paren(this=sql)


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
