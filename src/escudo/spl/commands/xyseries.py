"""``xyseries``: rows into columns (Search Reference: xyseries)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.pivot import Naming, series_table
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import boolean_option, format_options, text_option
from escudo.spl.syntax.unparse import words


@dataclass(frozen=True)
class XySeries(Command):
    """``xyseries [options] x y-name y-data ...``.

    A row for each value of ``x``, a column for each value of ``y-name``; the cells are the values
    of ``y-data``. Of several ``y-data`` the columns are called by ``format``.
    """

    name: ClassVar[str] = "xyseries"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    x: str
    y_name: str
    y_data: tuple[str, ...]
    grouped: bool = boolean_option(
        False, "Whether the rows keep their order; else they are sorted by x."
    )
    sep: str = text_option(": ", "What stands between the two parts of a column's name.")
    series_format: str = text_option(
        "$AGG$$SEP$$VAL$",
        "The name of a column, of `$AGG$` (the y-data field), `$SEP$` and `$VAL$`.",
        name="format",
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        names, options = args.read_names_and_options(cls)
        if len(names) < 3:
            args.missing("three or more fields: x, names and values")
        x, y_name, *y_data = names
        values = options.values(cls)
        return cls(x=x, y_name=y_name, y_data=tuple(y_data), **values, span=args.span())

    def format(self) -> str:
        names = words((self.x, self.y_name, *self.y_data), separator=" ")
        return f"xyseries{format_options(self)} {names}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        kept = {n: b for n in (self.x, self.y_name, *self.y_data) if (b := relation.bound(n))}
        naming = Naming(self.sep, self.series_format)
        return binder.batch(
            relation.closed(kept),
            "xyseries",
            lambda table: series_table(
                table,
                x=self.x,
                y_name=self.y_name,
                y_data=self.y_data,
                naming=naming,
                in_order=self.grouped,
            ),
            known=(self.x,),
        )
