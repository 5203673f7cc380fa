"""``fields``: keeps or removes fields (Search Reference: fields)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.unparse import words
from escudo.spl.wildcards import select_names

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Fields(Command):
    """``fields [+|-] fields``; a name may hold ``*``."""

    name: ClassVar[str] = "fields"

    fields: tuple[str, ...]
    remove: bool = False

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
        return cls(args.names(), sign == "-", span=args.span())

    def format(self) -> str:
        return f"fields {'- ' if self.remove else '+ '}{words(self.fields)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = select_names(self.fields, binder.matching(relation, self.fields))
        if self.remove:
            return relation.with_fields({**relation.fields, **dict.fromkeys(names)})
        kept = {name: bound for name in [*names, *_INTERNAL] if (bound := relation.bound(name))}
        return relation.closed(kept)


_INTERNAL = ("_time", "_raw")
"""What ``fields`` keeps unless it is removed by name (Search Reference, fields)."""
