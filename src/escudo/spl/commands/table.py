"""``table``: only these fields, in this order (Search Reference: table)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import Bound, Typed, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import words
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class Table(Command):
    """``table fields``.

    These fields and no others, in this order; a name may hold ``*``. A field that no row has is an
    empty column.
    """

    name: ClassVar[str] = "table"
    declares: ClassVar[Declaration] = Declaration(
        reads=Reads.NAMED, row_by_row=True, closes_schema=True
    )

    fields: tuple[str, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(fields=args.names(), span=args.span())

    def format(self) -> str:
        return f"table {words(self.fields)}"

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """No field goes into another one."""
        return partial

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        kept: dict[str, Bound] = {}
        missing: list[tuple[str, Typed]] = []
        names = select_names(self.fields, binder.matching(relation, self.fields))
        for name in names:
            bound = relation.bound(name)
            if bound is None:
                missing.append((name, null_value()))
            else:
                kept[name] = bound
        relation = relation.extend(missing, binder.names)
        for name, _ in missing:
            bound = relation.bound(name)
            assert bound is not None
            kept[name] = bound
        return relation.closed({name: kept[name] for name in names})
