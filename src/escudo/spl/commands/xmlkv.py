"""``xmlkv``: fields out of XML elements (Search Reference: xmlkv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.found_fields import overlaid
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import prelude_call
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Xmlkv(Command):
    """``xmlkv [field] [maxinputs=n]``."""

    name: ClassVar[str] = "xmlkv"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str = "_raw"
    maxinputs: int = 50_000

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("maxinputs")
        field = args.name() if args.more() else "_raw"
        args.options("maxinputs", into=options)
        return cls(field, options.integer("maxinputs", 50_000, least=1), span=args.span())

    def format(self) -> str:
        field = "" if self.field == "_raw" else f" {word(self.field)}"
        return f"xmlkv{field}{option('maxinputs', self.maxinputs, 50_000)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        found = prelude_call("spl_xml_pairs", as_text(value))
        return overlaid(relation, found, binder, lists=True)
