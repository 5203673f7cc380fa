"""An apostrophe in a search expression, where it quotes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic, Span
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import Compare, InList, Term, Value


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        for node in step.command.walk(into_subsearches=False):
            match node:
                case Term(value):
                    yield from _word(checked, value)
                case Compare(name, _, value):
                    yield from _name(checked, name, node.span)
                    yield from _word(checked, value)
                case InList(name, values):
                    yield from _name(checked, name, node.span)
                    for value in values:
                        yield from _word(checked, value)


def _word(checked: Checked, value: Value) -> Iterator[Diagnostic]:
    if not value.quoted and _begins_or_ends(value.text):
        yield _finding(checked, value.text, value.span)


def _name(checked: Checked, name: str, span: Span | None) -> Iterator[Diagnostic]:
    if _begins_or_ends(name):
        yield _finding(checked, name, span)


def _begins_or_ends(text: str) -> bool:
    return len(text) > 1 and "'" in (text[0], text[-1])


def _finding(checked: Checked, text: str, span: Span | None) -> Diagnostic:
    message = f"the apostrophe of {text} is a character to be found, no quote"
    return checked.finding("SPL514", message, span, "take it away, or use double quotes")


RULE = Rule(
    "SPL514",
    _findings,
    """In a search expression only double quotes quote; an apostrophe is part of the word or of the
field's name, which then matches nothing. (In `eval` and `where` it quotes names of fields.)

    bad:    'index=main user='eve smith'
    better: index=main user="eve smith"
""",
)
