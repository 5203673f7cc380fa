"""``fillnull``: a value in place of null (Search Reference: fillnull)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.operators.null_filling import FilledBase, fill_null
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class Fillnull(Command):
    """``fillnull [value=v] [fields]``; without fields, all fields of the results."""

    name: ClassVar[str] = "fillnull"
    declares: ClassVar[Declaration] = Declaration(row_by_row=True)

    fields: tuple[str, ...] = ()
    value: str = "0"

    def declaration(self) -> Declaration:
        """Without fields it fills those that any row has, so it looks at all rows."""
        return replace(self.declares, row_by_row=bool(self.fields))

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
        filled = [(name, fill_null(relation.field(name), self.value)) for name in names]
        return relation.extend(filled, binder.names)
