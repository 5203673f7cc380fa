"""``outlier``: values far off the others (Search Reference: outlier)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.outliers import Outliers, without_outliers
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words


@dataclass(frozen=True)
class Outlier(Command):
    """``outlier [action=] [mark=] [param=] [uselower=] [type=iqr] [fields]``.

    ``action`` is ``remove`` or ``transform``.
    """

    name: ClassVar[str] = "outlier"

    fields: tuple[str, ...] = ()
    action: str = "transform"
    mark: bool = False
    param: float = 2.5
    uselower: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options("action", "mark", "param", "uselower", "type")
        action = options.choice("action", ("remove", "rm", "transform", "tf"), "transform")
        options.choice("type", ("iqr",), "iqr")
        return cls(
            fields,
            "remove" if action.startswith("r") else "transform",
            options.boolean("mark", False),
            options.number("param", 2.5),
            options.boolean("uselower", False),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "outlier"
            + option("action", self.action, "transform")
            + option("mark", self.mark, False)
            + option("param", self.param, 2.5)
            + option("uselower", self.uselower, False)
            + (f" {words(self.fields, separator=' ')}" if self.fields else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        options = Outliers(self.action == "remove", self.mark, self.param, self.uselower)
        return binder.batch(
            relation, "outlier", lambda table: without_outliers(table, self.fields, options)
        )
