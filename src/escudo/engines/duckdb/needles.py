"""A query's tree -> the same with one regular expression where a text is asked for many others;
called by the engine as it writes SQL.

DuckDB goes through the text once for each CONTAINS, RE2 once for all of them (2026-11-30, a million
command lines of 160 characters: 0.3 s each, 0.8 s for any number up to 300).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from escudo.spl import any_holds

FEWEST = 4
"""Needles for which a regular expression takes less than a CONTAINS each."""

MOST = 300
"""Needles of one regular expression: RE2 falls back to a slower way where its states take more than
8 MB."""


def gather_needles(tree: exp.Expression) -> exp.Expression:
    """The tree, changed in place: ``CONTAINS`` of the same text, of which one is to hold, become
    one match of a regular expression.

    >>> from sqlglot import parse_one
    >>> asked = " OR ".join(f"contains(p, '{needle}')" for needle in ("a.b", "c", "d", "e"))
    >>> gather_needles(parse_one(f"{asked} OR q", read="duckdb")).sql("duckdb")
    "REGEXP_MATCHES(p, 'a\\\\.b|c|d|e') OR q"
    """
    for node in list(tree.find_all(exp.Or)):
        if isinstance(node.parent, exp.Or):
            continue
        operands = [part for part in node.flatten(unnest=False) if isinstance(part, exp.Expression)]
        gathered = _gather(operands)
        if gathered is None:
            continue
        joined = any_holds(gathered)
        if node is tree:
            return joined
        node.replace(joined)
    return tree


def _gather(operands: Sequence[exp.Expression]) -> list[exp.Expression] | None:
    """The operands of an OR, with one for many that ask the same text; None where none does."""
    asked: dict[exp.Expression, list[str]] = {}
    for operand in operands:
        if _is_needle(operand):
            asked.setdefault(operand.this, []).append(operand.expression.name)
    many = {text: needles for text, needles in asked.items() if len(needles) >= FEWEST}
    if not many:
        return None
    out: list[exp.Expression] = []
    for operand in operands:
        if not _is_needle(operand) or operand.this not in many:
            out.append(operand)
            continue
        needles = many[operand.this]
        out += (
            _match_any(operand.this, needles[at : at + MOST]) for at in range(0, len(needles), MOST)
        )
        needles.clear()
    return out


def seek_any(text: exp.Expression, needles: Sequence[str]) -> exp.Expression:
    """A condition that every text meets which has one of some ASCII needles when both are in lower
    case. It is asked of the text as it is, which takes a quarter less than of its lower case.

    İ and the Kelvin sign are the only others whose lower case is ASCII: a text with one of them
    meets it, too.

    >>> from sqlglot import exp
    >>> seek_any(exp.column("p"), ["a.b", "c"]).sql("duckdb")
    "REGEXP_MATCHES(p, '(?i:a\\\\.b|c)|İ|\\u212a')"
    """
    return any_holds(
        _match(text, f"(?i:{_write_pattern(needles[at : at + MOST])})|{_LOWER_IS_ASCII}")
        for at in range(0, len(needles), MOST)
    )


_LOWER_IS_ASCII = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}|\N{KELVIN SIGN}"


def _is_needle(sql: exp.Expression) -> bool:
    return isinstance(sql, exp.Contains) and sql.expression.is_string


def _match_any(text: exp.Expression, needles: Sequence[str]) -> exp.Expression:
    return _match(text, _write_pattern(needles))


def _write_pattern(needles: Sequence[str]) -> str:
    return "|".join(map(re.escape, dict.fromkeys(needles)))


def _match(text: exp.Expression, pattern: str) -> exp.Expression:
    return exp.RegexpLike(this=text.copy(), expression=exp.Literal.string(pattern))
