"""``xmlkv``: fields out of XML elements (Search Reference: xmlkv)."""

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
from escudo.spl.syntax.options import format_options, integer_option
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Xmlkv(Command):
    """``xmlkv [field] [maxinputs=n]``.

    A field for each element of the XML text in the field, ``_raw`` unless it is named.
    """

    name: ClassVar[str] = "xmlkv"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str = "_raw"
    maxinputs: int = integer_option(
        50_000, "Rows that Splunk reads at a time; no effect here.", least=1
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        field = args.name() if args.more() else cls.field
        args.read_options(cls, into=options)
        return cls(field=field, **options.values(cls), span=args.span())

    def format(self) -> str:
        field = "" if self.field == type(self).field else f" {word(self.field)}"
        return f"xmlkv{field}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        pairs = prelude_call("spl_xml_pairs", as_text(value))
        return overlay_fields(relation, pairs, binder, lists=True)
