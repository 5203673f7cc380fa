"""``eval``: computes fields (Search Reference: eval)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.assignment import Assignment, parse_assignments
from escudo.spl.ast import Command

if TYPE_CHECKING:
    from escudo.spl.bind import Binder, Relation


@dataclass(frozen=True)
class Eval(Command):
    """``eval field=expr, ...``, from left to right; a later one sees the fields of the earlier."""

    name: ClassVar[str] = "eval"

    assignments: tuple[Assignment, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        assignments = parse_assignments(args)
        return cls(assignments, span=args.span())

    def format(self) -> str:
        return "eval " + ", ".join(a.format() for a in self.assignments)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
