"""``filldown``: nulls take the last value above them (Search Reference: filldown)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import FieldsCommand
from escudo.spl.operators.windows import frame, number_rows, over
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class Filldown(FieldsCommand):
    """``filldown [fields]``.

    Without fields all are filled but internal ones; a name may hold ``*``.
    """

    name: ClassVar[str] = "filldown"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = self.fields or ("*",)
        if not self.fields:
            relation = binder.closed(relation)
        relation, row = number_rows(relation, binder)
        filled: list[tuple[str, Typed]] = []
        for name in select_names(names, binder.matching(relation, names)):
            value = relation.field(name)
            if value is not None and not (name.startswith("_") and name not in self.fields):
                last = exp.IgnoreNulls(this=exp.LastValue(this=value.sql))
                sql = over(last, [Order(row)], spec=frame(None, 0))
                filled.append((name, Typed(sql, value.type)))
        return relation.extend(filled, binder.names, window=True)
