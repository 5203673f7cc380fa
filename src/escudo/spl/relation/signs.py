"""A condition -> texts and values of which a row that meets it has at least one.

Who asks many conditions of a large table first asks whether a row has any of the signs of any of
them, all at once, and the conditions themselves of the few rows that do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sqlglot import exp

from escudo.spl.relation.sql import all_hold, case_when, is_false, list_operands

LEAST_TEXT = 4
"""Characters of a text that is worth looking for: shorter ones are in too many rows."""

MOST_SIGNS = 60
"""Signs of one condition: one with more takes in too many rows."""

_VALUE_WEIGHT = 8
"""A whole value tells as much as a text of so many characters within one."""


def list_signs(condition: exp.Expression) -> tuple[exp.Expression, ...] | None:
    """Conditions (a text within a column, a value of it) of which a row meets one that meets the
    condition given; None where none are known.

    >>> from sqlglot import parse_one
    >>> sql = "(contains(p, 'regsvr32') OR q = 'a') AND contains(p, '-i') AND NOT r"
    >>> [sign.sql("duckdb") for sign in list_signs(parse_one(sql, read="duckdb"))]
    ["CONTAINS(p, 'regsvr32')", "q = 'a'"]
    """
    found = _find(condition)
    if found is None or len(found) > MOST_SIGNS:
        return None
    return tuple(dict.fromkeys(found))


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
    found = _find(part)
    if found is None:
        return 0, 0
    weight, most = _weigh(found)
    return -weight, -most


def _find(sql: exp.Expression) -> list[exp.Expression] | None:
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
            return [sql]
        case exp.In(expressions=[_, *_] as values) if all(v.is_string for v in values):
            return [sql]
        case exp.And():
            return _find_rarest(list_operands(sql))
        case exp.Or():
            return _find_all(list_operands(sql))
        case exp.Case(this=None) if is_false(sql.args.get("default") or exp.null()):
            (first, *others) = sql.args["ifs"]
            return None if others else _find_rarest([first.this, first.args["true"]])
    return None


def _find_rarest(parts: Iterable[exp.Expression]) -> list[exp.Expression] | None:
    known = [found for part in parts if (found := _find(part)) is not None]
    return max(known, key=_weigh, default=None)


def _find_all(parts: Iterable[exp.Expression]) -> list[exp.Expression] | None:
    out: list[exp.Expression] = []
    for part in parts:
        found = _find(part)
        if found is None:
            return None
        out += found
    return out


def _find_in_text(text: exp.Expression, part: str) -> list[exp.Expression] | None:
    if len(part) < LEAST_TEXT:
        return None
    return [exp.Contains(this=text, expression=exp.Literal.string(part))]


def _weigh(signs: Iterable[exp.Expression]) -> tuple[int, int]:
    """How few rows have one of some signs, by guess: those with long texts, then with few."""
    weights = list(_weigh_each(signs))
    return min(weights), -len(weights)


def _weigh_each(signs: Iterable[exp.Expression]) -> Iterator[int]:
    for sign in signs:
        yield len(sign.expression.name) if isinstance(sign, exp.Contains) else _VALUE_WEIGHT
