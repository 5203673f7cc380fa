"""``fieldsummary``: statistics of each field (Search Reference: fieldsummary)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.batch.field_statistics import SUMMARY, summary_of
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import FieldsCommand
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.options import integer_option
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class FieldSummary(FieldsCommand):
    """``fieldsummary [maxvals=n] [fields]``.

    A row for each of the fields, or for all where none is named; a name may hold ``*``.
    """

    name: ClassVar[str] = "fieldsummary"

    maxvals: int = integer_option(
        100, "Different values that are listed in `values`; 0 lists all.", least=0
    )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        if self.fields:
            names = select_names(self.fields, relation.names())
            relation = relation.closed({n: b for n in names if (b := relation.bound(n))})
        return binder.batch(
            relation, "fieldsummary", lambda table: summary_of(table, self.maxvals), known=SUMMARY
        )
