"""``eval``: computes fields (Search Reference: eval)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.assignment import Assignment, parse_assignments
from escudo.spl.ast import Command
from escudo.spl.bind import rows, storable
from escudo.spl.dynamic import named_by_value

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


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
        relation = rows(source, self)
        for assignment in self.assignments:
            value = storable(binder.evaluate(assignment.expr, relation))
            if "{" in assignment.field:
                relation = named_by_value(relation, assignment.field, value, binder)
            else:
                relation = relation.extend([(assignment.field, value)], binder.names)
        return relation
