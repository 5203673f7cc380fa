"""``fromjson``: the members of a JSON object as fields (Search Reference: fromjson)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.found_fields import overlay_fields
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import prelude_call
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Fromjson(Command):
    """``fromjson field [prefix=s]``."""

    name: ClassVar[str] = "fromjson"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str
    prefix: str = ""

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("prefix")
        field = args.name("a field that holds a JSON object")
        args.options("prefix", into=options)
        return cls(field, options.text("prefix", ""), span=args.span())

    def format(self) -> str:
        return f"fromjson {word(self.field)}{option('prefix', self.prefix, '')}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        found = prelude_call("spl_object_members", as_text(value))
        return overlay_fields(relation, found, binder, lists=True, prefix=self.prefix)
