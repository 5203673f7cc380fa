"""``fieldformat``: how a field is shown, not what it is (Search Reference: fieldformat)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.assignment import Assignment, parse_assignments


@dataclass(frozen=True)
class FieldFormat(Command):
    """``fieldformat field=expr, ...``.

    The value stays what it is for the commands that follow; it is formatted after the last one.
    """

    name: ClassVar[str] = "fieldformat"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    assignments: tuple[Assignment, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(parse_assignments(args), span=args.span())

    def format(self) -> str:
        return "fieldformat " + ", ".join(a.format() for a in self.assignments)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        added = tuple((a.field, a.expr) for a in self.assignments)
        formats = (*relation.traits.formats, *added)
        return replace(relation, traits=replace(relation.traits, formats=formats))
