"""``and``, ``or`` and ``not`` in small letters in a search expression."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import Term


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        for node in step.command.walk(into_subsearches=False):
            if not isinstance(node, Term) or node.value.quoted:
                continue
            word = node.value.text
            if word.lower() in ("and", "or", "not") and not word.isupper():
                yield checked.finding(
                    "SPL510",
                    f"'{word}' is a word that events must contain, no operator",
                    node.span,
                    f"write {word.upper()}",
                )


RULE = Rule(
    "SPL510",
    _findings,
    """In a search expression the operators are upper case; in small letters they are search terms.

    bad:    user=a or user=b
    better: user=a OR user=b
""",
)
