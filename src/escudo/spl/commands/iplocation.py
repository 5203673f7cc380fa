"""``iplocation``: where an address is (Search Reference: iplocation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.evaluate import rest_field
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Iplocation(Command):
    """``iplocation [prefix=s] [allfields=bool] [lang=s] field``."""

    name: ClassVar[str] = "iplocation"

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
        language = coerce.literal_text(self.lang or "en")
        found = binder.names.fresh("place")
        place = coerce.call("spl_ip_location", coerce.as_text(value), language)
        relation = relation.hide([(found, place)])
        names = ALL_FIELDS if self.allfields else FIELDS
        added = [(f"{self.prefix}{name}", rest_field(found, name)) for name in names]
        return relation.extend(added, binder.names)


FIELDS = ("City", "Country", "Region", "lat", "lon")
ALL_FIELDS = (*FIELDS, "Continent", "MetroCode", "Timezone")
