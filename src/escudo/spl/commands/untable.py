"""``untable``: columns into rows, the reverse of xyseries (Search Reference: untable)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.pivot import untabled
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import words


@dataclass(frozen=True)
class Untable(Command):
    """``untable x-field y-name-field y-data-field``.

    A row for each value of each other field: the x field, the name of that field in the second, its
    value in the third.
    """

    name: ClassVar[str] = "untable"

    x: str
    y_name: str
    y_data: str

    @classmethod
    def parse(cls, args: Args) -> Self:
        names = args.names(what="the x field, the field of names and the field of values")
        if len(names) != 3:
            args.missing("three fields: x, names and values")
        x, y_name, y_data = names
        return cls(x=x, y_name=y_name, y_data=y_data, span=args.span())

    def format(self) -> str:
        return f"untable {words((self.x, self.y_name, self.y_data), separator=' ')}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        names = [n for n in relation.names() if n != self.x and not n.startswith("_")]
        return binder.batch(
            relation,
            "untable",
            lambda table: untabled(
                table, x=self.x, y_name=self.y_name, y_data=self.y_data, names=names
            ),
        )
