"""``multikv``: fields out of events that are tables (Search Reference: multikv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.texttables import TextTables, table_rows
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Multikv(Command):
    """``multikv [conf=] [copyattrs=] [fields f ...] [filter s ...] [forceheader=] [multitable=]
    [noheader=] [rmorig=]``."""

    name: ClassVar[str] = "multikv"

    conf: str | None = None
    copyattrs: bool = True
    fields: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    forceheader: int | None = None
    multitable: bool = True
    noheader: bool = False
    rmorig: bool = True

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*OPTIONS)
        fields: tuple[str, ...] = ()
        filters: tuple[str, ...] = ()
        while keyword := args.accept_word("fields", "filter"):
            names, options = args.names_and_options(
                *OPTIONS, stops=("fields", "filter"), into=options
            )
            if not names:
                args.expected("a field" if keyword == "fields" else "a term")
            if keyword == "fields":
                fields += names
            else:
                filters += names
        return cls(
            options.text("conf", None),
            options.boolean("copyattrs", True),
            fields,
            filters,
            options.integer("forceheader", None, least=1),
            options.boolean("multitable", True),
            options.boolean("noheader", False),
            options.boolean("rmorig", True),
            span=args.span(),
        )

    def format(self) -> str:
        reserved = ("fields", "filter")
        fields = " ".join(word(f, *reserved) for f in self.fields)
        filters = " ".join(word(f, *reserved) for f in self.filters)
        return (
            "multikv"
            + option("conf", self.conf)
            + option("copyattrs", self.copyattrs, True)
            + option("forceheader", self.forceheader)
            + option("multitable", self.multitable, True)
            + option("noheader", self.noheader, False)
            + option("rmorig", self.rmorig, True)
            + (f" fields {fields}" if fields else "")
            + (f" filter {filters}" if filters else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        options = TextTables(
            self.fields,
            self.filters,
            self.forceheader,
            self.copyattrs,
            self.multitable,
            self.noheader,
            self.rmorig,
        )
        return binder.batch(relation, "multikv", lambda table: table_rows(table, options))


OPTIONS = ("conf", "copyattrs", "forceheader", "multitable", "noheader", "rmorig")
