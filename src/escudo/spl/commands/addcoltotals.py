"""``addcoltotals``: a last row with the sums of columns (Search Reference: addcoltotals)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.totals import append_column_totals, select_summands
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words


@dataclass(frozen=True)
class AddColTotals(Command):
    """``addcoltotals [labelfield=] [label=] [fields]``."""

    name: ClassVar[str] = "addcoltotals"

    fields: tuple[str, ...] = ()
    labelfield: str | None = None
    label: str = "Total"

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options("labelfield", "label")
        return cls(
            fields,
            options.text("labelfield", None),
            options.text("label", "Total"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "addcoltotals"
            + option("labelfield", self.labelfield)
            + option("label", self.label, "Total")
            + (f" {words(self.fields, separator=' ')}" if self.fields else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        names = select_summands(relation, self.fields, binder)
        return append_column_totals(relation, names, self.labelfield, self.label, binder)
