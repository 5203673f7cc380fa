"""``eval``: computes fields (Search Reference: eval)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Self

import pyarrow.compute as pc
from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows, storable
from escudo.spl.binding.declaration import Declaration, Reads, any_in_common, list_names
from escudo.spl.relation.coercion import as_text, convert_to
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    case_when,
    column,
    equal,
    literal_integer,
    literal_text,
    select,
)
from escudo.spl.relation.values import Typed, null_value, text_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.assignment import Assignment, parse_assignments


@dataclass(frozen=True)
class Eval(Command):
    """``eval field=expr, ...``.

    From left to right; a later expression sees the fields of the earlier ones. A name such as
    ``count_{user}`` is made of the row's value of the field in braces; one assignment can make at
    most 1,000 names.
    """

    name: ClassVar[str] = "eval"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    assignments: tuple[Assignment, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(parse_assignments(args), span=args.span())

    def format(self) -> str:
        return "eval " + ", ".join(a.format() for a in self.assignments)

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """A field that is made of one that is of a batch is so, too."""
        for made in self.assignments:
            read = list_names(made.expr)
            if "{" in made.field or any_in_common(read, partial):
                partial |= {made.field if "{" not in made.field else "*"}
            else:
                partial -= {made.field}
        return partial

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        for assignment in self.assignments:
            value = storable(binder.evaluate(assignment.expr, relation))
            if "{" in assignment.field:
                relation = assign_by_value(relation, assignment.field, value, binder)
            else:
                relation = relation.extend([(assignment.field, value)], binder.names)
        return relation


_NAME = re.compile(r"\{([^{}]+)\}")
MOST_NAMES = 1000
"""Names that one assignment can make."""


def assign_by_value(relation: Relation, template: str, value: Typed, binder: Binder) -> Relation:
    """``template`` with each ``{field}`` replaced by the row's value of the field (Search
    Reference, eval: field names from values)."""
    parts: list[Typed] = []
    position = 0
    for braces in _NAME.finditer(template):
        parts.append(text_value(template[position : braces.start()]))
        parts.append(relation.field(braces[1]) or null_value())
        position = braces.end()
    parts.append(text_value(template[position:]))
    texts: list[exp.Expression] = [as_text(p).copy() for p in parts]
    sql = reduce(lambda left, right: exp.DPipe(this=left, expression=right), texts)
    ident = binder.names.fresh("name")
    relation = relation.hide([(ident, sql)])
    if binder.runner is None:
        binder.deferred.append(f"the fields that {template} makes")
        return relation
    query = select([alias(column(ident), "name")], relation.render())
    query.set("distinct", exp.Distinct())
    query.set("limit", exp.Limit(expression=literal_integer(MOST_NAMES)))
    rows = binder.run(query, relation)
    names = sorted(pc.drop_null(rows.column(0)).to_pylist())
    added = []
    for name in names:
        before = relation.field(name)
        otherwise = convert_to(before, value.type) if before else null_value(value.type).sql
        same = equal(column(ident), literal_text(name))
        sql = case_when((same, value.sql.copy()), otherwise=otherwise)
        added.append((name, Typed(sql, value.type)))
    return relation.extend(added, binder.names)
