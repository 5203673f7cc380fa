"""``fillnull``: a value in place of null (Search Reference: fillnull)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.filling import FilledBase, filled_with
from escudo.spl.unparse import option, words
from escudo.spl.wildcards import select_names

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Fillnull(Command):
    """``fillnull [value=v] [fields]``; without fields, all fields of the results."""

    name: ClassVar[str] = "fillnull"

    fields: tuple[str, ...] = ()
    value: str = "0"

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("value")
        fields: list[str] = []
        while args.more():
            if args.at_option() is not None:
                args.options("value", into=options)
            elif not args.accept(","):
                fields.append(args.name())
        return cls(tuple(fields), options.text("value", "0"), span=args.span())

    def format(self) -> str:
        fields = f" {words(self.fields, separator=' ')}" if self.fields else ""
        return "fillnull" + option("value", self.value, "0") + fields

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if not self.fields:
            base = FilledBase(relation, self.value, tuple(binder.all_names(relation)), binder.names)
            return replace(relation, base=base, steps=(), fields={}, open=True)
        names = select_names(self.fields, binder.matching(relation, self.fields))
        filled = [(name, filled_with(relation.field(name), self.value)) for name in names]
        return relation.extend(filled, binder.names)
