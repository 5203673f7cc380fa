"""``setfields``: the same text into fields of all rows (Search Reference: setfields)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import quoted, word


@dataclass(frozen=True)
class Setfields(Command):
    """``setfields field="text", ...``.

    Each field has the text in all rows, whatever it was before.
    """

    name: ClassVar[str] = "setfields"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields: list[tuple[str, str]] = []
        while args.more():
            if args.accept(","):
                continue
            name = args.name("a field")
            args.expect("=")
            fields.append((name, args.value(f"a value of '{name}'").text))
        if not fields:
            args.expected("field=text")
        return cls(fields=tuple(fields), span=args.span())

    def format(self) -> str:
        given = ", ".join(f"{word(name)}={quoted(text)}" for name, text in self.fields)
        return f"setfields {given}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        added = [(name, Typed(literal_text(t), FieldType.STRING)) for name, t in self.fields]
        return relation.extend(added, binder.names)
