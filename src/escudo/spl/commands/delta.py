"""``delta``: the difference to an earlier row (Search Reference: delta)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.commands.accum import Accum
from escudo.spl.operators.windows import over
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.sql import literal_integer, minus, parenthesise
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.options import integer_option


@dataclass(frozen=True)
class Delta(Accum):
    """``delta field [AS name] [p=n]``.

    The field's number less the one some rows before, as ``delta(field)`` or under the name given.
    """

    name: ClassVar[str] = "delta"

    p: int = integer_option(1, "How many rows before the other number stands.", least=1)

    def compute_fields(self, value: Typed, order: Sequence[Order]) -> list[tuple[str, Typed]]:
        number = as_number(value)
        before = over(exp.Lag(this=number.copy(), offset=literal_integer(self.p)), order)
        difference = Typed(minus(parenthesise(number), before), FieldType.NUMBER)
        return [(self.alias or f"delta({self.field})", difference)]
