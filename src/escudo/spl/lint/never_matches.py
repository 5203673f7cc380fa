"""Comparisons that no event can satisfy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from escudo.core.errors import Diagnostic, EscudoError
from escudo.spl.binding import dataset
from escudo.spl.commands.tstats import Tstats
from escudo.spl.lint.checked import Checked, Rule, Step
from escudo.spl.syntax.ast import (
    And,
    Binary,
    Call,
    Compare,
    EvalExpr,
    InList,
    Literal,
    Node,
    SearchExpr,
)


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        for node in step.command.walk(into_subsearches=False):
            match node:
                case Compare(_, "=", _) | InList():
                    yield from _outside(checked, step, node)
                case And(operands):
                    yield from _contradiction(checked, operands)
                case Binary("=" | "==", left, right):
                    yield from _case(checked, node, left, right)
                    yield from _case(checked, node, right, left)


def _outside(checked: Checked, step: Step, node: Compare | InList) -> Iterator[Diagnostic]:
    """Values outside those that the dataset can hold."""
    possible = _possible(checked, step, node.field_name)
    if possible is None:
        return
    values = (node.value,) if isinstance(node, Compare) else node.values
    held = {p.lower() for p in possible}
    for value in values:
        pattern = value.text.lower()
        if not any(_like(pattern, h) for h in held):
            known = ", ".join(sorted(possible)[:5])
            yield checked.finding(
                "SPL504",
                f"'{node.field_name}' is never '{value.text}' here",
                value.span or node.span,
                f"it holds only {known}",
            )


def _like(pattern: str, text: str) -> bool:
    parts = (re.escape(p) for p in pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def _possible(checked: Checked, step: Step, name: str) -> frozenset[str] | None:
    command = step.command
    if isinstance(command, Tstats) and command.model is not None:
        try:
            found = dataset.find(command.model, command.dataset, checked.binder, command.span)
        except EscudoError:
            return None
        rows = dataset.read_prefixed(found, checked.binder)
    elif step.before is not None:
        rows = step.before
    else:
        return None
    return checked.binder.scope(rows).possible(name)


_MULTIVALUE_HINT = "only a field with several values can hold both; write OR or IN (...)"


def _contradiction(checked: Checked, operands: tuple[SearchExpr, ...]) -> Iterator[Diagnostic]:
    """``a=1 a=2``: two values without wildcards that one value cannot both equal."""
    seen: dict[str, Compare] = {}
    for operand in operands:
        if not isinstance(operand, Compare) or operand.op != "=" or "*" in operand.value.text:
            continue
        first = seen.setdefault(operand.field_name, operand)
        if first.value.text.lower() != operand.value.text.lower():
            yield checked.finding(
                "SPL504",
                f"'{operand.field_name}' cannot be '{first.value.text}' and "
                f"'{operand.value.text}' at once",
                operand.span,
                _MULTIVALUE_HINT,
            )


def _case(checked: Checked, node: Node, call: EvalExpr, text: EvalExpr) -> Iterator[Diagnostic]:
    """``lower(x)="ABC"`` and ``upper(x)="abc"``."""
    if not (isinstance(call, Call) and isinstance(text, Literal) and isinstance(text.value, str)):
        return
    folded = {"lower": text.value.lower(), "upper": text.value.upper()}.get(call.name)
    if folded is not None and folded != text.value:
        yield checked.finding(
            "SPL504",
            f'{call.name}() never gives "{text.value}"',
            node.span,
            f'write "{folded}"',
        )


RULE = Rule(
    "SPL504",
    _findings,
    """A condition that no event can satisfy makes a search silent.

    bad:    ... | where lower(process_name) = "CMD.exe"
    better: ... | where lower(process_name) = "cmd.exe"
    bad:    EventCode=4624 EventCode=4625
    better: EventCode IN (4624, 4625)
""",
)
