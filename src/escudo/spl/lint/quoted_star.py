"""A star right beside a quoted value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from escudo.core.errors import Diagnostic
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import And, Compare, InList, Node, Term, Value


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        for node in step.command.walk(into_subsearches=False):
            match node:
                case InList(_, values):
                    yield from _beside(checked, values, "every event with the field matches")
                case And(operands):
                    found = [v for o in operands if (v := _value(o)) is not None]
                    yield from _beside(checked, found, "the star is a term of its own")


def _value(operand: Node) -> Value | None:
    return operand.value if isinstance(operand, Compare | Term) else None


def _beside(checked: Checked, values: Sequence[Value], effect: str) -> Iterator[Diagnostic]:
    for first, second in pairwise(values):
        if first.span is None or second.span is None or not _touches(first, second):
            continue
        if first.quoted and not second.quoted and second.text.startswith("*"):
            star, better = second, f'"{first.text}*"'
        elif second.quoted and not first.quoted and first.text.endswith("*"):
            star, better = first, f'"*{second.text}"'
        else:
            continue
        message = f"'*' outside of the quotes: {effect}"
        yield checked.finding("SPL512", message, star.span, f"write {better}")


def _touches(first: Value, second: Value) -> bool:
    one, other = first.span, second.span
    assert one is not None
    assert other is not None
    return (one.end_line, one.end_column) == (other.line, other.column)


RULE = Rule(
    "SPL512",
    _findings,
    r"""A wildcard belongs inside the quotes. Outside of them it is a value of its own: in a list it
matches every event that has the field, elsewhere every event.

    bad:    path IN ("\\UIA_PIPE"*, "*.exe")
    better: path IN ("\\UIA_PIPE*", "*.exe")
""",
)
