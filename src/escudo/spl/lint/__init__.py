"""Search -> findings: what is legal and yet hardly what its author meant.

One file a rule; ``RULES`` is the table of them. A rule gets the search bound command by command,
so it knows which fields there are at each place, and yields findings.
"""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError
from escudo.spl.lint import (
    dotted_name,
    few_backslashes,
    join_for_stats,
    leading_wildcard,
    lowercase_operator,
    misplaced_not,
    missing_fillnull,
    missing_pipe,
    never_matches,
    quoted_star,
    stray_apostrophe,
    unknown_field,
    unknown_origin,
    wildcard_in_eval,
)
from escudo.spl.lint.checked import Checked, Rule, check_search
from escudo.spl.macros import undefined
from escudo.spl.parse import parse
from escudo.spl.syntax.nesting import bound_nesting

RULES: tuple[Rule, ...] = (
    unknown_field.UNKNOWN,
    unknown_field.TOO_EARLY,
    unknown_field.GONE,
    never_matches.RULE,
    wildcard_in_eval.RULE,
    leading_wildcard.RULE,
    missing_fillnull.RULE,
    join_for_stats.RULE,
    dotted_name.RULE,
    lowercase_operator.RULE,
    missing_pipe.RULE,
    quoted_star.RULE,
    misplaced_not.RULE,
    stray_apostrophe.RULE,
    few_backslashes.RULE,
    unknown_origin.RULE,
)
"""Every rule; a macro that is never defined is SPL110, as everywhere."""


@bound_nesting
def lint_search(
    text: str, catalog: Catalog, knowledge: Knowledge, *, file: str | None = None
) -> tuple[Diagnostic, ...]:
    """All findings in a search, in the order of their places.

    What makes the search no search at all (a syntax error, a macro never defined, an unknown data
    model) is an error among them; rules look at the rest as far as it can be read.
    """
    expanded, found = undefined(text, knowledge, file=file)
    try:
        pipeline = parse(expanded, file=file)
    except EscudoError as error:
        return (*found, *(() if found else (error.located(source=text).diagnostic,)))
    checked = check_search(text, expanded, pipeline, catalog, knowledge, file)
    every = [*found, *checked.errors, *_findings(checked)]
    unique = {(d.code, str(d.span), d.message): d for d in every}
    return tuple(sorted(unique.values(), key=_place))


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for rule in RULES:
        yield from rule.findings(checked)


def _place(diagnostic: Diagnostic) -> tuple[int, int, str]:
    span = diagnostic.span
    return (span.line, span.column, diagnostic.code) if span else (0, 0, diagnostic.code)
