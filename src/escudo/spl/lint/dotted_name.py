"""Names with dots that concatenate."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic
from escudo.spl.lint.checked import Checked, Rule, Step
from escudo.spl.syntax.ast import Binary, EvalExpr, FieldRef
from escudo.spl.syntax.unparse import field


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        inner: set[int] = set()
        for node in step.command.walk(into_subsearches=False):
            name = _dotted(node) if isinstance(node, Binary) else None
            if name is None or id(node) in inner or not isinstance(node, Binary):
                continue
            inner.update(id(n) for n in node.walk())
            if _meant(step, name.split(".")[0]):
                continue
            yield checked.finding(
                "SPL509",
                f"{name} joins the values of two fields; it is no field",
                node.span,
                f"write {field(name)} for the field of that name",
            )


def _meant(step: Step, first: str) -> bool:
    """Whether the first part is a field for sure, so that it may well be joined to another."""
    rows = (step.before, step.after)
    return any(r is not None and r.rest is None and r.bound(first) is not None for r in rows)


def _dotted(node: EvalExpr) -> str | None:
    """``a.b.c`` written without blanks, as one name."""
    if isinstance(node, FieldRef):
        return node.name
    if not isinstance(node, Binary) or node.op != "." or not isinstance(node.right, FieldRef):
        return None
    left = _dotted(node.left)
    name = f"{left}.{node.right.name}" if left is not None else None
    place = node.span
    if name is None or place is None or place.line != place.end_line:
        return None
    return name if place.end_column - place.column == len(name) else None


RULE = Rule(
    "SPL509",
    _findings,
    """In `eval` and `where` a dot concatenates. A field whose name has a dot stands in single
quotes.

    bad:    ... | where userIdentity.type = "Root"
    better: ... | where 'userIdentity.type' = "Root"
""",
)
