"""``iplocation``: where an address is (Search Reference: iplocation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.lowering.lower_eval import rest_field
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Iplocation(Command):
    """``iplocation [prefix=s] [allfields=bool] [lang=s] field``."""

    name: ClassVar[str] = "iplocation"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str
    prefix: str = ""
    allfields: bool = False
    lang: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("prefix", "allfields", "lang")
        options = args.options(*known)
        field = args.name("a field of addresses")
        args.options(*known, into=options)
        return cls(
            field,
            options.text("prefix", ""),
            options.boolean("allfields", False),
            options.text("lang", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "iplocation"
            + option("prefix", self.prefix, "")
            + option("allfields", self.allfields, False)
            + option("lang", self.lang)
            + f" {word(self.field)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        language = literal_text(self.lang or "en")
        found = binder.names.fresh("place")
        place = prelude_call("spl_ip_location", as_text(value), language)
        relation = relation.hide([(found, place)])
        names = ALL_FIELDS if self.allfields else FIELDS
        added = [(f"{self.prefix}{name}", rest_field(found, name)) for name in names]
        return relation.extend(added, binder.names)


FIELDS = ("City", "Country", "Region", "lat", "lon")
ALL_FIELDS = (*FIELDS, "Continent", "MetroCode", "Timezone")
