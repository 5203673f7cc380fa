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
from escudo.spl.syntax.options import format_options, text_option
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Fromjson(Command):
    """``fromjson field [prefix=text]``.

    Each member of the JSON object becomes a field; a list of values becomes a multivalue.
    """

    name: ClassVar[str] = "fromjson"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str
    prefix: str = text_option("", "What the names of the new fields begin with.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        field = args.name("a field that holds a JSON object")
        args.read_options(cls, into=options)
        return cls(field=field, **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"fromjson {word(self.field)}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        members = prelude_call("spl_object_members", as_text(value))
        return overlay_fields(relation, members, binder, lists=True, prefix=self.prefix)
