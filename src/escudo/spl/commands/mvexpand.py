"""``mvexpand``: one row for each value of a field (Search Reference: mvexpand)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.declaration import Declaration, Reads, any_in_common
from escudo.spl.binding.one_field_command import OneFieldCommand
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import coalesce, column, literal_integer, minus, prelude_call
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.options import integer_option


@dataclass(frozen=True)
class Mvexpand(OneFieldCommand):
    """``mvexpand field [limit=n]``.

    A row for each value of the field, with the other fields of its row. A row without a value
    stays one row.

    Differs from Splunk: no limit of memory cuts rows off.
    """

    name: ClassVar[str] = "mvexpand"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    limit: int = integer_option(0, "Values of a row that are taken; 0 is all.", least=0)

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """Each row becomes rows by itself; as many as of all events, if its values are all."""
        return None if any_in_common([self.field], partial) else partial

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        bound = relation.bound(self.field)
        if bound is None or bound.type is not FieldType.MULTIVALUE:
            return relation
        values = column(bound.ident)
        count = coalesce(prelude_call("spl_len", values.copy()), literal_integer(1))
        if self.limit:
            count = exp.Least(this=count, expressions=[literal_integer(self.limit)])
        at_least_one = exp.Greatest(this=count, expressions=[literal_integer(1)])
        last = minus(at_least_one, literal_integer(1))
        index = binder.names.fresh("index")
        series = exp.GenerateSeries(start=literal_integer(0), end=last)
        relation = relation.hide([(index, exp.Explode(this=series))], unnest=True)
        value = Typed(prelude_call("spl_mvindex", values, column(index)), FieldType.STRING)
        relation = relation.extend([(self.field, value)], binder.names)
        return relation.ordered([*relation.order, Order(column(index), number=column(index))])
