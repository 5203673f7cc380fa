"""``addtotals``: sums of rows and of columns (Search Reference: addtotals)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.binding.binder import Binder, rows
from escudo.spl.commands.addcoltotals import AddColTotals
from escudo.spl.operators.totals import append_column_totals, select_summands, sum_row
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.options import boolean_option, text_option


@dataclass(frozen=True)
class AddTotals(AddColTotals):
    """``addtotals [row=bool] [col=bool] [labelfield=name] [label=text] [fieldname=name] [fields]``.

    The sum of the fields of each row (of all but internal ones where none is named), and with
    ``col`` one more row, with the sum of each of them. A name may hold ``*``.
    """

    name: ClassVar[str] = "addtotals"

    row: bool = boolean_option(True, "Whether each row gets the sum of its fields.")
    col: bool = boolean_option(False, "Whether a last row has the sum of each field.")
    fieldname: str = text_option("Total", "The field that holds the sum of a row.")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = select_summands(relation, self.fields, binder)
        if names:
            relation = binder.closed(relation)
        if self.row:
            total = sum_row(relation, names)
            relation = relation.extend([(self.fieldname, total)], binder.names)
            names = [*names, self.fieldname]
        if not self.col:
            return relation
        return append_column_totals(
            relation, names, label_field=self.labelfield, label=self.label, binder=binder
        )
