"""``replace``: values of fields by others (Search Reference: replace)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.replacement import replaced
from escudo.spl.unparse import quoted, words
from escudo.spl.wildcards import select_names

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Replace(Command):
    """``replace old WITH new, ... [IN fields]``; ``*`` in both maps part by part."""

    name: ClassVar[str] = "replace"

    pairs: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        def pair() -> tuple[str, str]:
            old = args.name("a value to replace")
            args.expect_word("with")
            return old, args.name("the new value")

        pairs = args.separated(pair, "in")
        if not pairs:
            args.missing("'old WITH new'")
        fields = args.names() if args.accept_word("in") else ()
        return cls(pairs, fields, span=args.span())

    def format(self) -> str:
        pairs = ", ".join(f"{quoted(old)} WITH {quoted(new)}" for old, new in self.pairs)
        return f"replace {pairs}" + (f" IN {words(self.fields)}" if self.fields else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = self.fields
        if not names:
            relation = binder.closed(relation)
            names = tuple(n for n in relation.names() if not n.startswith("_"))
        changed = [
            (name, replaced(value, self.pairs))
            for name in select_names(names, binder.matching(relation, names))
            if (value := relation.field(name)) is not None
        ]
        return relation.extend(changed, binder.names)
