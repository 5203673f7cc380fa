"""SPL's comparisons and wildcards -> SQL conditions, over single values and lists of values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.coercion import as_number, as_text
from escudo.spl.relation.sql import (
    coalesce,
    equal,
    has_value,
    literal_integer,
    literal_text,
    lower_case,
    more_than,
    parenthesise,
    prelude_call,
)
from escudo.spl.relation.values import (
    NUMERIC,
    Typed,
    constant_of,
    is_null,
    is_numeric_text,
    null_value,
)

_LIKE_ESCAPE = "!"


def match_wildcards(column: exp.Expression, pattern: str, *, fold: bool) -> exp.Expression:
    """Whether text matches a search pattern, in which ``*`` stands for any characters.

    ``fold`` compares without regard to case; ``column`` must be lower-cased then. The cheapest
    form is chosen: equality, prefix, suffix, contains, or LIKE with an explicit ESCAPE.

    >>> c = exp.column("p")
    >>> match_wildcards(c, "CMD.exe", fold=True).sql("duckdb")
    "p = 'cmd.exe'"
    >>> match_wildcards(c, "*cmd*", fold=False).sql("duckdb")
    "CONTAINS(p, 'cmd')"
    >>> match_wildcards(c, "a*b_c*", fold=False).sql("duckdb")
    "p LIKE 'a%b!_c%' ESCAPE '!'"
    """
    wanted = pattern.lower() if fold else pattern
    parts = re.split(r"\*+", wanted)
    if len(parts) == 1:
        return equal(column, literal_text(wanted))
    if not any(parts):
        return has_value(column)
    return _wildcards(column, parts)


def match_like(column: exp.Expression, pattern: str) -> exp.Expression:
    """Eval's LIKE: ``%`` any characters, ``_`` one character, a backslash is itself.

    (Search Reference, Comparison and Conditional functions: like.)

    >>> match_like(exp.column("p"), "C:\\\\%").sql("duckdb")
    "STARTS_WITH(p, 'C:\\\\')"
    """
    if "_" in pattern:
        escaped = pattern.replace(_LIKE_ESCAPE, _LIKE_ESCAPE * 2)
        return _like(column, escaped)
    parts = re.split("%+", pattern)
    if len(parts) == 1:
        return equal(column, literal_text(pattern))
    if not any(parts):
        return has_value(column)
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


def compare_values(op: str, left: Typed, right: Typed) -> exp.Expression:
    """Eval's comparison: as numbers if both sides look like numbers, else as text.

    A multivalue side compares true if any of its values does; null on either side gives null.
    (Search Reference, eval: operators; where.)

    >>> from escudo.spl.relation.values import number_value, text_value
    >>> s = Typed(exp.column("s"), FieldType.STRING)
    >>> compare_values("=", s, text_value("a")).sql("duckdb")
    "s = 'a'"
    >>> compare_values(">", s, number_value(5)).sql("duckdb")
    "COALESCE(SPL_NUM(s) > 5e0, s > '5')"
    """
    node = COMPARISONS[op]
    if is_null(left) or is_null(right):
        return null_value(FieldType.BOOLEAN).sql
    if left.type is FieldType.MULTIVALUE:
        return any_value(left.sql, lambda v: compare_values(op, v, right))
    if right.type is FieldType.MULTIVALUE:
        return any_value(right.sql, lambda v: compare_values(op, left, v))
    if left.type in NUMERIC and right.type in NUMERIC:
        return node(this=_beside(left, right), expression=_beside(right, left))
    if FieldType.BOOLEAN in (left.type, right.type):
        return _compare_boolean(node, left, right)
    by_text = node(this=parenthesise(as_text(left)), expression=parenthesise(as_text(right)))
    if _never_numeric(left) or _never_numeric(right):
        return by_text
    by_number = node(this=as_number(left).copy(), expression=as_number(right).copy())
    return coalesce(by_number, by_text)


_EXACT = 2.0**53


def _beside(value: Typed, other: Typed) -> exp.Expression:
    """A number to compare with another. A whole constant beside an integer is one, too: a cast of
    the column would keep engines from using the comparison early.

    >>> from escudo.spl.relation.values import number_value
    >>> n = Typed(exp.column("n"), FieldType.INTEGER)
    >>> [compare_values(">", n, number_value(x)).sql("duckdb") for x in (5, 0.5)]
    ['n > 5', 'n > 0.5e0']
    """
    known = constant_of(value)
    if not isinstance(known, float) or other.type is not FieldType.INTEGER:
        return parenthesise(value.sql)
    whole = known.is_integer() and abs(known) < _EXACT
    return literal_integer(int(known)) if whole else value.sql


def _never_numeric(value: Typed) -> bool:
    known = constant_of(value)
    return isinstance(known, str) and not is_numeric_text(known)


def _compare_boolean(
    node: Callable[..., exp.Expression], left: Typed, right: Typed
) -> exp.Expression:
    if left.type is right.type:
        return node(this=parenthesise(left.sql), expression=parenthesise(right.sql))
    if left.type in NUMERIC or right.type in NUMERIC:
        return node(this=as_number(left), expression=as_number(right))
    return node(this=lower_case(as_text(left)), expression=lower_case(as_text(right)))


def any_value(
    values: exp.Expression, condition: Callable[[Typed], exp.Expression]
) -> exp.Expression:
    """Whether a condition holds for any value of a list; NULL for a NULL list.

    >>> is_a = any_value(exp.column("m"), lambda v: match_wildcards(v.sql, "a", fold=False))
    >>> print(is_a.sql("duckdb"))
    SPL_LEN(LIST_FILTER(m, LAMBDA "_spl_1" : "_spl_1" = 'a')) > 0
    """
    kept = filter_values(values, condition)
    return more_than(prelude_call("spl_len", kept), literal_integer(0))


@dataclass(frozen=True)
class AskedValues:
    """A condition of which it is asked whether it holds for any of some ``values``, a list: it is
    on its ``parameter``."""

    values: exp.Expression
    condition: exp.Expression
    parameter: str

    def of(self, value: exp.Expression) -> exp.Expression:
        """The condition on a value."""

        def put(node: exp.Expression) -> exp.Expression:
            is_parameter = isinstance(node, exp.Column) and node.name == self.parameter
            return value.copy() if is_parameter else node

        return self.condition.transform(put)

    def over(self, values: exp.Expression) -> AskedValues:
        """The same asked of another list."""
        return replace(self, values=values)

    def of_list(self, values: exp.Expression) -> exp.Expression:
        """Whether it holds for any value of another list."""
        return any_value(values.copy(), lambda v: self.of(v.sql))


def split_any_value(sql: exp.Expression) -> AskedValues | None:
    """What ``any_value`` made of a list; None for anything else.

    >>> asked = any_value(exp.column("m"), lambda v: match_wildcards(v.sql, "a", fold=False))
    >>> split_any_value(asked).of(exp.Literal.string("b")).sql("duckdb")
    "'b' = 'a'"
    """
    match sql:
        case exp.GT(
            this=exp.Anonymous(this=name, expressions=[exp.ArrayFilter() as kept]), expression=bound
        ):
            condition = kept.expression
            if str(name).lower() == "spl_len" and bound == literal_integer(0):
                (parameter,) = condition.expressions
                return AskedValues(kept.this, condition.this, parameter.name)
    return None


def filter_values(
    values: exp.Expression, condition: Callable[[Typed], exp.Expression]
) -> exp.Expression:
    """The values of a list for which a condition holds (an empty list if there is none)."""
    return exp.ArrayFilter(this=values, expression=_lambda(condition))


def map_values(values: exp.Expression, body: Callable[[Typed], exp.Expression]) -> exp.Expression:
    """A list with an expression over each value; a NULL list stays NULL."""
    return exp.Transform(this=values, expression=_lambda(body))


def flat_map_values(
    values: exp.Expression, body: Callable[[Typed], exp.Expression]
) -> exp.Expression:
    """The values of all lists that an expression makes of the values of one (NULL if there is
    none). Where the expression is NULL it gives no values: Spark's ``flatten`` would be NULL."""
    lists = filter_values(
        map_values(values, body), lambda made: exp.Is(this=made.sql, expression=exp.Null()).not_()
    )
    return prelude_call("spl_values", prelude_call("spl_flat", lists))


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
