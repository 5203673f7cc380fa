"""``fields``: keeps or removes fields (Search Reference: fields)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import words
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class Fields(Command):
    """``fields [+|-] fields``.

    Keeps the fields, or with ``-`` removes them; a name may hold ``*``. ``_time`` and ``_raw`` stay
    unless they are removed by name.
    """

    name: ClassVar[str] = "fields"
    declares: ClassVar[Declaration] = Declaration(
        reads=Reads.NAMED, row_by_row=True, closes_schema=True
    )

    fields: tuple[str, ...]
    remove: bool = False

    def declaration(self) -> Declaration:
        return replace(self.declares, closes_schema=not self.remove)

    @classmethod
    def parse(cls, args: Args) -> Self:
        first = args.peek()
        sign = first.text if first.text in ("+", "-") else ""
        if sign:
            args.next()
        elif (
            first.text[:1] in ("+", "-") and first.text == args.source.text[first.start : first.end]
        ):
            sign = first.text[0]
            args.position = first.start + 1
        return cls(fields=args.names(), remove=sign == "-", span=args.span())

    def format(self) -> str:
        return f"fields {'- ' if self.remove else '+ '}{words(self.fields)}"

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """No field goes into another one."""
        return partial

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = select_names(self.fields, binder.matching(relation, self.fields))
        if self.remove:
            return relation.with_fields({**relation.fields, **dict.fromkeys(names)})
        kept = {name: bound for name in [*names, *_INTERNAL] if (bound := relation.bound(name))}
        return relation.closed(kept)


_INTERNAL = ("_time", "_raw")
"""What ``fields`` keeps unless it is removed by name (Search Reference, fields)."""
