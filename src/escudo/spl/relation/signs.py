"""A condition -> texts and values of which a row that meets it has at least one.

Who asks many conditions of a large table first asks whether a row has any of the signs of any of
them, all at once, and the conditions themselves of the few rows that do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from sqlglot import exp

from escudo.spl.relation.sql import all_hold, case_when, is_false, list_operands

LEAST_TEXT = 3
"""Characters of a text that is worth looking for: shorter ones are in too many rows."""

MOST_SIGNS = 60
"""Signs of one condition: one with more takes in too many rows."""

MOST_CHOICES = 4
"""Choices that are told of one condition."""

_VALUE_WEIGHT = 8
"""A whole value tells as much as a text of so many characters within one."""

Choice: TypeAlias = tuple[exp.Expression, ...]
"""Signs of a condition: a text within a column (``Contains``) or the whole of it (``EQ``)."""


def list_signs(condition: exp.Expression) -> tuple[Choice, ...]:
    """Choices of signs: a row that meets a condition has at least one sign of each choice. The
    choice whose signs few rows have, by guess, comes first; none where none is known.

    >>> from sqlglot import parse_one
    >>> sql = "(contains(p, 'regsvr32') OR q = 'a') AND contains(p, 'load') AND NOT r"
    >>> for choice in list_signs(parse_one(sql, read="duckdb")):
    ...     print([sign.sql("duckdb") for sign in choice])
    ["CONTAINS(p, 'regsvr32')", "q = 'a'"]
    ["CONTAINS(p, 'load')"]
    """
    found = (tuple(dict.fromkeys(choice)) for choice in _find(condition))
    return tuple(choice for choice in found if len(choice) <= MOST_SIGNS)[:MOST_CHOICES]


def ask_in_turn(condition: exp.Expression) -> exp.Expression:
    """A condition whose parts are asked one after the other of the rows that those before leave,
    first what costs little, then what few rows have by guess. It is not true where it is not known.

    An engine that filters does so itself; one that counts asks each part of all rows.

    >>> from sqlglot import parse_one
    >>> sql = "contains(p, 'net') AND contains(p, 'accounts') AND q = 'a'"
    >>> asked = ask_in_turn(parse_one(sql, read="duckdb")).sql("duckdb")
    >>> asked.partition(" THEN ")[2]
    "CASE WHEN CONTAINS(p, 'accounts') THEN CONTAINS(p, 'net') ELSE FALSE END ELSE FALSE END"
    """
    if isinstance(condition, exp.Paren):
        return ask_in_turn(condition.this)
    if not isinstance(condition, exp.And):
        return condition
    parts = list(list_operands(condition))
    cheap = [part for part in parts if not _is_dear(part)]
    dear = sorted((part for part in parts if _is_dear(part)), key=_guess_share)
    turns = [all_hold(cheap), *dear] if cheap else dear
    asked = turns.pop()
    while turns:
        asked = case_when((turns.pop(), asked), otherwise=exp.false())
    return asked


DEAR = (exp.Contains, exp.StartsWith, exp.EndsWith, exp.Like, exp.RegexpLike, exp.Anonymous)
"""What takes long to ask of a text."""


def _is_dear(sql: exp.Expression) -> bool:
    return sql.find(*DEAR) is not None


def _guess_share(part: exp.Expression) -> tuple[int, int]:
    """Less for what is to be asked first."""
    choices = _find(part)
    if not choices:
        return 0, 0
    weight, most = _weigh(choices[0])
    return -weight, -most


def _find(sql: exp.Expression) -> list[Choice]:
    """The choices, best first."""
    match sql:
        case exp.Paren(this=inner):
            return _find(inner)
        case exp.Escape(this=exp.Like(this=text, expression=exp.Literal() as pattern)):
            return _find_in_text(text, max(re.split(r"[%_]|!.", pattern.name), key=len))
        case (
            exp.Contains(this=text, expression=exp.Literal() as part)
            | exp.StartsWith(this=text, expression=exp.Literal() as part)
            | exp.EndsWith(this=text, expression=exp.Literal() as part)
        ):
            return _find_in_text(text, part.name)
        case exp.EQ(expression=exp.Literal(is_string=True)):
            return [(sql,)]
        case exp.In(this=text, expressions=[_, *_] as values) if all(v.is_string for v in values):
            return [tuple(exp.EQ(this=text, expression=value) for value in values)]
        case exp.GT(this=counted, expression=exp.Literal(is_string=False) as bound):
            return _find_in_count(counted, float(bound.name))
        case exp.And():
            return _find_in_each(list_operands(sql))
        case exp.Or():
            return _find_in_all(list_operands(sql))
        case exp.Case(this=None) if is_false(sql.args.get("default") or exp.null()):
            (first, *others) = sql.args["ifs"]
            return [] if others else _find_in_each([first.this, first.args["true"]])
    return []


def _find_in_each(parts: Iterable[exp.Expression]) -> list[Choice]:
    """Choices where all parts are met: those of each."""
    return sorted((c for part in parts for c in _find(part)), key=_weigh, reverse=True)


def _find_in_all(parts: Iterable[exp.Expression]) -> list[Choice]:
    """The choice where one of the parts is met: the best of each."""
    out: list[exp.Expression] = []
    for part in parts:
        choices = _find(part)
        if not choices:
            return []
        out += choices[0]
    return [tuple(out)]


def _find_in_count(counted: exp.Expression, bound: float) -> list[Choice]:
    """Where a text is to have more pieces than one between some delimiter, it has the delimiter."""
    match counted:
        case exp.Paren(this=inner) | exp.Cast(this=inner):
            return _find_in_count(inner, bound)
        case exp.Sub(this=inner, expression=exp.Literal(is_string=False) as less):
            return _find_in_count(inner, bound + float(less.name))
        case exp.Anonymous(expressions=[exp.Anonymous(expressions=[text, exp.Literal() as part])]):
            names = [str(call.this).lower() for call in (counted, counted.expressions[0])]
            if names == ["spl_count", "spl_split"] and bound >= 1:
                return _find_in_text(text, part.name)
    return []


def _find_in_text(text: exp.Expression, part: str) -> list[Choice]:
    if len(part) < LEAST_TEXT:
        return []
    has = exp.Contains(this=_find_source(text, part), expression=exp.Literal.string(part))
    return [(has,)]


def _find_source(text: exp.Expression, part: str) -> exp.Expression:
    """Where a part of a text is from: not from what stands for a text that is not there."""
    match text:
        case exp.Paren(this=inner):
            return _find_source(inner, part)
        case exp.Coalesce(this=inner, expressions=[exp.Literal() as other]) if (
            part not in other.name
        ):
            return _find_source(inner, part)
    return text


def _weigh(signs: Iterable[exp.Expression]) -> tuple[int, int]:
    """How few rows have one of some signs, by guess: those with long texts, then with few."""
    weights = list(_weigh_each(signs))
    return min(weights), -len(weights)


def _weigh_each(signs: Iterable[exp.Expression]) -> Iterator[int]:
    for sign in signs:
        yield len(sign.expression.name) if isinstance(sign, exp.Contains) else _VALUE_WEIGHT
