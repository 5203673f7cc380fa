"""``iplocation``: where an address is (Search Reference: iplocation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.one_field_command import OneFieldCommand
from escudo.spl.lowering.lower_eval import rest_field
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.syntax.options import boolean_option, text_option

FIELDS = ("City", "Country", "Region", "lat", "lon")
ALL_FIELDS = (*FIELDS, "Continent", "MetroCode", "Timezone")


@dataclass(frozen=True)
class Iplocation(OneFieldCommand):
    """``iplocation [options] field``.

    City, Country, Region, lat and lon of the address in the field; null where it is no public
    address.

    Differs from Splunk: the data that come with the engine hold countries only, in English; a city
    database is named by the environment variable ``ESCUDO_GEOIP``. Continent, MetroCode and
    Timezone are null.
    """

    name: ClassVar[str] = "iplocation"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)
    what: ClassVar[str] = "a field of addresses"

    prefix: str = text_option("", "What stands before the names of the fields.")
    allfields: bool = boolean_option(
        False, "Whether there are Continent, MetroCode and Timezone besides."
    )
    lang: str | None = text_option(None, "The language of the names; no effect here.")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        place = binder.names.fresh("place")
        located = prelude_call("spl_ip_location", as_text(value), literal_text(self.lang or "en"))
        relation = relation.hide([(place, located)])
        names = ALL_FIELDS if self.allfields else FIELDS
        added = [(f"{self.prefix}{name}", rest_field(place, name)) for name in names]
        return relation.extend(added, binder.names)
