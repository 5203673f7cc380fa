"""A query's tree -> the same with one regular expression where a text is asked for many others;
called by the engine as it writes SQL.

DuckDB goes through the text once for each CONTAINS, and makes its lower case anew for each prefix
and suffix; RE2 goes through it once for all of them (2026-11-30, a million command lines of 160
characters: 0.3 s each, 0.8 s for any number up to 300).
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
    """The tree, changed in place: parts, prefixes, suffixes of the same text, of which one is to
    hold, become one match of a regular expression.

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
        pattern = _write_needle(operand)
        if pattern is not None:
            asked.setdefault(operand.this, []).append(pattern)
    many = {text: patterns for text, patterns in asked.items() if len(patterns) >= FEWEST}
    if not many:
        return None
    out: list[exp.Expression] = []
    for operand in operands:
        if _write_needle(operand) is None or operand.this not in many:
            out.append(operand)
            continue
        patterns = many[operand.this]
        out += (
            _match(operand.this, _join(patterns[at : at + MOST]))
            for at in range(0, len(patterns), MOST)
        )
        patterns.clear()
    return out


def _write_needle(sql: exp.Expression) -> str | None:
    """What is asked of a text as a regular expression; None where it is something else."""
    if not isinstance(sql, exp.Contains | exp.StartsWith | exp.EndsWith):
        return None
    if not sql.expression.is_string:
        return None
    begin = "\\A" if isinstance(sql, exp.StartsWith) else ""
    end = "\\z" if isinstance(sql, exp.EndsWith) else ""
    return f"{begin}{re.escape(sql.expression.name)}{end}"


def seek_any(
    text: exp.Expression, needles: Sequence[str], wholes: Sequence[str] = ()
) -> exp.Expression:
    """A condition that every text meets which has one of some ASCII needles, or is one of some
    wholes, when both are in lower case. It is asked of the text as it is, which takes a quarter
    less than of its lower case.

    İ and the Kelvin sign are the only others whose lower case is ASCII: a text with one of them
    meets it, too.

    >>> from sqlglot import exp
    >>> seek_any(exp.column("p"), ["a.b", "c"]).sql("duckdb")
    "REGEXP_MATCHES(p, '(?i:a\\\\.b|c)|İ|\\u212a')"
    """
    patterns = [re.escape(needle) for needle in needles]
    patterns += (f"\\A{re.escape(whole)}\\z" for whole in wholes)
    return any_holds(
        _match(text, f"(?i:{_join(patterns[at : at + MOST])})|{_LOWER_IS_ASCII}")
        for at in range(0, len(patterns), MOST)
    )


_LOWER_IS_ASCII = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}|\N{KELVIN SIGN}"


def _join(patterns: Sequence[str]) -> str:
    return "|".join(dict.fromkeys(patterns))


def _match(text: exp.Expression, pattern: str) -> exp.Expression:
    return exp.RegexpLike(this=text.copy(), expression=exp.Literal.string(pattern))
