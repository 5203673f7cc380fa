"""Wildcards where ``*`` is an ordinary character."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic
from escudo.spl.commands.where import Where
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import Binary, Call, FieldRef, Literal, Node
from escudo.spl.syntax.unparse import field, literal


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        everywhere = isinstance(step.command, Where)
        for node in step.command.walk(into_subsearches=False):
            match node:
                case Binary("=" | "==" | "!=", FieldRef(name), Literal(str() as text)) | Binary(
                    "=" | "==" | "!=", Literal(str() as text), FieldRef(name)
                ) if _pattern(text):
                    yield _finding(checked, node, name, text)
                case Call("in", (FieldRef(name), *values)) if everywhere:
                    for value in values:
                        if isinstance(value, Literal) and _pattern(str(value.value)):
                            yield _finding(checked, value, name, str(value.value))
                case Call("like", (_, Literal(str() as text))) | Binary(
                    "LIKE", _, Literal(str() as text)
                ) if "*" in text and "%" not in text:
                    yield checked.finding(
                        "SPL505",
                        f"like() takes % and _, so '*' in {literal(text)} is an asterisk",
                        node.span,
                        f"write {literal(text.replace('*', '%'))}",
                    )


def _pattern(text: str) -> bool:
    return "*" in text and text.strip("*") != ""


def _finding(checked: Checked, node: Node, name: str, text: str) -> Diagnostic:
    better = literal(text.replace("*", "%"))
    return checked.finding(
        "SPL505",
        f"'*' in {literal(text)} is an asterisk here, no wildcard",
        node.span,
        f"write like({field(name)}, {better}), or use search",
    )


RULE = Rule(
    "SPL505",
    _findings,
    """`where` and `eval` compare whole values; only `search` and the WHERE of `tstats` know `*`.

    bad:    ... | where process = "*mimikatz*"
    better: ... | where like(process, "%mimikatz%")
    better: ... | search process = "*mimikatz*"
""",
)
