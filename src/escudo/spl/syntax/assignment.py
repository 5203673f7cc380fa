"""``field = expression``, as ``eval`` and ``fieldformat`` have it."""

from __future__ import annotations

from dataclasses import dataclass

from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr, Node
from escudo.spl.syntax.unparse import eval_text, word


@dataclass(frozen=True)
class Assignment(Node):
    """One assignment. ``{name}`` in ``field`` stands for the value of field ``name``."""

    field: str
    expr: EvalExpr

    def format(self) -> str:
        """As it is written."""
        return f"{word(self.field)} = {eval_text(self.expr)}"


def parse_assignment(args: Args) -> Assignment:
    """Read one assignment."""
    start = args.peek().start
    field = args.name("a field to assign to")
    args.expect("=")
    return Assignment(field, args.eval(), span=args.span(start))


def parse_assignments(args: Args) -> tuple[Assignment, ...]:
    """Read one or more assignments with commas between; a comma at the end is an error."""
    out = [parse_assignment(args)]
    while args.accept(","):
        out.append(parse_assignment(args))
    if args.more():
        args.expected("an operator, or ',' before the next assignment")
    return tuple(out)
