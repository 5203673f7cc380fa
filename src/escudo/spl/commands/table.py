"""``table``: only these fields, in this order (Search Reference: table)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.plan import Bound, Typed
from escudo.spl.unparse import words
from escudo.spl.wildcards import select_names

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Table(Command):
    """``table fields``; a name may hold ``*``."""

    name: ClassVar[str] = "table"

    fields: tuple[str, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(args.names(), span=args.span())

    def format(self) -> str:
        return f"table {words(self.fields)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        kept: dict[str, Bound] = {}
        missing: list[tuple[str, Typed]] = []
        names = select_names(self.fields, binder.matching(relation, self.fields))
        for name in names:
            bound = relation.bound(name)
            if bound is None:
                missing.append((name, coerce.null()))
            else:
                kept[name] = bound
        relation = relation.extend(missing, binder.names)
        for name, _ in missing:
            bound = relation.bound(name)
            assert bound is not None
            kept[name] = bound
        return relation.closed({name: kept[name] for name in names})
