"""``addtotals``: sums of rows and of columns (Search Reference: addtotals)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.totals import append_column_totals, select_summands, sum_row
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words


@dataclass(frozen=True)
class AddTotals(Command):
    """``addtotals [row=] [col=] [labelfield=] [label=] [fieldname=] [fields]``."""

    name: ClassVar[str] = "addtotals"

    fields: tuple[str, ...] = ()
    row: bool = True
    col: bool = False
    labelfield: str | None = None
    label: str = "Total"
    fieldname: str = "Total"

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options("row", "col", "labelfield", "label", "fieldname")
        return cls(
            fields,
            options.boolean("row", True),
            options.boolean("col", False),
            options.text("labelfield", None),
            options.text("label", "Total"),
            options.text("fieldname", "Total"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "addtotals"
            + option("row", self.row, True)
            + option("col", self.col, False)
            + option("labelfield", self.labelfield)
            + option("label", self.label, "Total")
            + option("fieldname", self.fieldname, "Total")
            + (f" {words(self.fields, separator=' ')}" if self.fields else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = select_summands(relation, self.fields, binder)
        if names:
            relation = binder.closed(relation)
        if self.row:
            total = sum_row(relation, names)
            relation = relation.extend([(self.fieldname, total)], binder.names)
            names = [*names, self.fieldname]
        if self.col:
            relation = append_column_totals(relation, names, self.labelfield, self.label, binder)
        return relation
