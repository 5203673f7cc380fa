"""``addcoltotals``: a last row with the sums of columns (Search Reference: addcoltotals)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import FieldsCommand
from escudo.spl.operators.totals import append_column_totals, select_summands
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.options import text_option


@dataclass(frozen=True)
class AddColTotals(FieldsCommand):
    """``addcoltotals [labelfield=name] [label=text] [fields]``.

    One more row, with the sum of each of the fields (all but internal ones where none is named).
    A name may hold ``*``.
    """

    name: ClassVar[str] = "addcoltotals"

    labelfield: str | None = text_option(None, "The field that holds the label of the sums.")
    label: str = text_option("Total", "What that field holds in the row of the sums.")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        names = select_summands(relation, self.fields, binder)
        return append_column_totals(
            relation, names, label_field=self.labelfield, label=self.label, binder=binder
        )
