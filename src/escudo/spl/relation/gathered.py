"""A condition on lists of the values that rows had -> what one of these rows must have had.

``values(x)`` of a group holds ``a`` only if a row of the group has it: a group that a search keeps
for that needs such a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from sqlglot import exp

from escudo.spl.relation.comparison import AskedValues, split_any_value
from escudo.spl.relation.sql import any_holds, column, list_operands

MOST_DEFINITIONS = 64
"""Columns that are written out in a condition; a larger one is not known."""

MOST_LISTS = 4
"""What a condition asks of lists: each may be null."""


@dataclass(frozen=True)
class Gathered:
    """What a list was gathered of: each row's value, or (``lists``) all those of its list."""

    value: exp.Expression
    lists: bool


def ask_one(
    condition: exp.Expression,
    gathered: Mapping[str, Gathered],
    columns: Mapping[str, exp.Expression],
) -> exp.Expression | None:
    """What a condition asks of at least one of the rows; None where that is not known.

    It is known where the condition is not met without a value of a list that is as asked.

    Args:
        gathered: identifiers of lists, and what these hold.
        columns: what other identifiers stand for.

    >>> from escudo.spl.relation.comparison import any_value, match_wildcards
    >>> is_a = any_value(column("names"), lambda v: match_wildcards(v.sql, "a", fold=False))
    >>> names = {"names": Gathered(column("name"), lists=False)}
    >>> print(ask_one(is_a, names, {}).sql("duckdb"))
    ("name" = 'a')
    >>> print(ask_one(exp.Not(this=is_a), names, {}))
    None
    """
    asked: list[exp.Expression] = []
    left = iter(range(MOST_DEFINITIONS))

    def put(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and node.name in columns and next(left, None) is not None:
            return exp.paren(columns[node.name].copy().transform(put), copy=False)
        found = split_any_value(node)
        of_row = _ask_row(found, gathered, columns) if found is not None else None
        if of_row is None:
            return node
        asked.append(of_row)
        return column(f"?{len(asked)}")

    rest = condition.transform(put)
    if not 0 < len(asked) <= MOST_LISTS or not all(_is_of(sql, gathered) for sql in asked):
        return None
    names = [f"?{number}" for number in range(1, len(asked) + 1)]
    try:
        # No list has such a value: each is without one, or null.
        for unmet in product((False, None), repeat=len(names)):
            if _evaluate(rest, dict(zip(names, unmet, strict=True))) is True:
                return None
    except _NotConstantError:
        return None
    return exp.paren(any_holds(asked), copy=False)


def _is_of(sql: exp.Expression, gathered: Mapping[str, Gathered]) -> bool:
    """Whether a condition is on what lists were gathered of, and nothing else."""
    known = {c.name for found in gathered.values() for c in found.value.find_all(exp.Column)}
    known.update(e.name for made in sql.find_all(exp.Lambda) for e in made.expressions)
    return all(c.name in known for c in sql.find_all(exp.Column))


def _ask_row(
    asked: AskedValues,
    gathered: Mapping[str, Gathered],
    columns: Mapping[str, exp.Expression],
) -> exp.Expression | None:
    """The condition on any value of a gathered list, as one on a row."""
    match asked.values:
        case exp.Column(name=name) if name in gathered:
            found = gathered[name]
            return asked.of_list(found.value) if found.lists else asked.of(found.value)
        case exp.Column(name=name) if name in columns:
            return _ask_row(asked.over(columns[name]), gathered, columns)
        case exp.Paren(this=inner):
            return _ask_row(asked.over(inner), gathered, columns)
        case exp.Transform(this=inner, expression=exp.Lambda(expressions=[parameter]) as made):
            before = AskedValues(inner, asked.of(made.this), parameter.name)
            return _ask_row(before, gathered, columns)
    return None


_Constant: TypeAlias = str | bool | None


class _NotConstantError(Exception):
    """What is written depends on rows, or on functions that are not known here."""


def _evaluate(sql: exp.Expression | None, values: Mapping[str, _Constant]) -> _Constant:
    """The value of an expression of so many columns, NULL as None."""

    def of(part: exp.Expression | None) -> _Constant:
        return _evaluate(part, values)

    match sql:
        case None | exp.Null():
            return None
        case exp.Paren(this=inner):
            return of(inner)
        case exp.Column() if sql.name in values:
            return values[sql.name]
        case exp.Boolean(this=bool(value)):
            return value
        case exp.Literal(is_string=True):
            return str(sql.this)
        case exp.Lower(this=inner):
            text = of(inner)
            return text.lower() if isinstance(text, str) else None
        case exp.Coalesce(this=first, expressions=others):
            found = map(of, (first, *others))
            return next((value for value in found if value is not None), None)
        case exp.Case(this=None):
            met = (part.args["true"] for part in sql.args["ifs"] if of(part.this) is True)
            return of(next(met, sql.args.get("default")))
        case exp.Is(this=inner, expression=exp.Null()):
            return of(inner) is None
        case exp.EQ(this=left, expression=right):
            one, other = of(left), of(right)
            return None if one is None or other is None else one == other
        case exp.Not(this=inner):
            negated = of(inner)
            return None if negated is None else not negated
        case exp.And():
            return _connect(map(of, list_operands(sql)), decides=False)
        case exp.Or():
            return _connect(map(of, list_operands(sql)), decides=True)
    raise _NotConstantError


def _connect(parts: Iterable[_Constant], *, decides: bool) -> _Constant:
    """AND, which False decides, or OR, which True does."""
    found = set(parts)
    return decides if decides in found else None if None in found else not decides
