"""A generating command without the pipe before it."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic
from escudo.spl.commands import COMMANDS
from escudo.spl.commands.search import Search
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import And, Term


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    first = checked.pipeline.commands[0]
    if not isinstance(first, Search):
        return
    terms = first.expr.operands if isinstance(first.expr, And) else (first.expr,)
    head = terms[0] if terms else None
    if not isinstance(head, Term) or head.value.quoted:
        return
    command = COMMANDS.get(head.value.text.lower())
    if command is not None and command.generating:
        yield checked.finding(
            "SPL511",
            f"'{head.value.text}' is a search term here, no command",
            head.span,
            f"write | {head.value.text}",
        )


RULE = Rule(
    "SPL511",
    _findings,
    """A search that begins without a pipe is a list of terms, even if the first one is the name of
a command.

    bad:    tstats count from datamodel=Web
    better: | tstats count from datamodel=Web
""",
)
