"""NOT between a field and IN."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from escudo.core.errors import Diagnostic
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import And, Node, Not, Term


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        for node in step.command.walk(into_subsearches=False):
            if isinstance(node, And):
                for first, second in pairwise(node.operands):
                    if isinstance(first, Term) and not first.value.quoted and _is_not_in(second):
                        name = first.value.text
                        yield checked.finding(
                            "SPL513",
                            f"'{name} NOT IN' looks for the words '{name}' and not 'IN'",
                            first.span,
                            f"write NOT {name} IN (...)",
                        )


def _is_not_in(node: Node) -> bool:
    if not (isinstance(node, Not) and isinstance(node.operand, Term)):
        return False
    value = node.operand.value
    return not value.quoted and value.text.upper() == "IN"


RULE = Rule(
    "SPL513",
    _findings,
    """The manual's form is `NOT field IN (...)`. With NOT after the field a search takes all of it
as words to be found in the event, and hardly any event has them.

    bad:    user NOT IN (root, admin)
    better: NOT user IN (root, admin)
""",
)
