"""``accum``: a running total (Search Reference: accum)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import AliasCommand
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import frame, number_rows, over
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import case_when, has_value
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed


@dataclass(frozen=True)
class Accum(AliasCommand):
    """``accum field [AS name]``.

    The sum of the field's numbers up to each row, in place of the field or under the name given.
    A row without a number has no total.
    """

    name: ClassVar[str] = "accum"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        relation, row = number_rows(relation, binder)
        added = self.compute_fields(value, [Order(row)])
        return relation.extend(added, binder.names, window=True)

    def compute_fields(self, value: Typed, order: Sequence[Order]) -> list[tuple[str, Typed]]:
        """The fields that are added, from the values of the field in the order of the rows."""
        number = as_number(value)
        total = over(exp.Sum(this=number), order, spec=frame(None, 0))
        sql = case_when((has_value(number.copy()), total))
        return [(self.alias or self.field, Typed(sql, FieldType.NUMBER))]
