"""``xyseries``: rows into columns (Search Reference: xyseries)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.pivot import Naming, series_table
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words


@dataclass(frozen=True)
class XySeries(Command):
    """``xyseries [grouped=bool] x y-name y-data ... [sep=s] [format=f]``."""

    name: ClassVar[str] = "xyseries"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    x: str
    y_name: str
    y_data: tuple[str, ...]
    grouped: bool = False
    sep: str = ": "
    series_format: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        names, options = args.names_and_options("grouped", "sep", "format")
        if len(names) < 3:
            args.missing("three or more fields: x, names and values")
        return cls(
            names[0],
            names[1],
            names[2:],
            options.boolean("grouped", False),
            options.text("sep", ": "),
            options.text("format", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "xyseries"
            + option("grouped", self.grouped, False)
            + f" {words((self.x, self.y_name, *self.y_data), separator=' ')}"
            + option("sep", self.sep, ": ")
            + option("format", self.series_format)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        kept = {n: b for n in (self.x, self.y_name, *self.y_data) if (b := relation.bound(n))}
        naming = Naming(self.sep, self.series_format or "$AGG$$SEP$$VAL$")
        return binder.batch(
            relation.closed(kept),
            "xyseries",
            lambda table: series_table(
                table, self.x, self.y_name, self.y_data, naming, in_order=self.grouped
            ),
            known=(self.x,),
        )
