"""``eval``: computes fields (Search Reference: eval)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow.compute as pc
from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows, storable
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.coercion import as_text, convert_to
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, column, literal_text, select
from escudo.spl.relation.values import Typed, null_value, text_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.assignment import Assignment, parse_assignments


@dataclass(frozen=True)
class Eval(Command):
    """``eval field=expr, ...``, from left to right; a later one sees the fields of the earlier."""

    name: ClassVar[str] = "eval"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    assignments: tuple[Assignment, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        assignments = parse_assignments(args)
        return cls(assignments, span=args.span())

    def format(self) -> str:
        return "eval " + ", ".join(a.format() for a in self.assignments)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        for assignment in self.assignments:
            value = storable(binder.evaluate(assignment.expr, relation))
            if "{" in assignment.field:
                relation = named_by_value(relation, assignment.field, value, binder)
            else:
                relation = relation.extend([(assignment.field, value)], binder.names)
        return relation


_NAME = re.compile(r"\{([^{}]+)\}")
MOST_NAMES = 1000
"""Names that one assignment can make."""


def named_by_value(relation: Relation, template: str, value: Typed, binder: Binder) -> Relation:
    """``template`` with each ``{field}`` replaced by the row's value of the field (Search
    Reference, eval: field names from values)."""
    parts: list[Typed] = []
    position = 0
    for found in _NAME.finditer(template):
        parts.append(text_value(template[position : found.start()]))
        parts.append(relation.field(found[1]) or null_value())
        position = found.end()
    parts.append(text_value(template[position:]))
    sql: exp.Expression | None = None
    for p in parts:
        text = as_text(p).copy()
        sql = text if sql is None else exp.DPipe(this=sql, expression=text)
    assert sql is not None
    ident = binder.names.fresh("name")
    relation = relation.hide([(ident, sql)])
    if binder.runner is None:
        binder.deferred.append(f"the fields that {template} makes")
        return relation
    query = select([alias(column(ident), "name")], relation.render())
    query.set("distinct", exp.Distinct())
    query.set("limit", exp.Limit(expression=exp.Literal.number(MOST_NAMES)))
    rows = binder.run(query, relation)
    names = sorted(pc.drop_null(rows.column(0)).to_pylist())
    added = []
    for name in names:
        same = exp.EQ(this=column(ident), expression=literal_text(name))
        before = relation.field(name)
        otherwise = convert_to(before, value.type) if before else null_value(value.type).sql
        case = exp.Case(ifs=[exp.If(this=same, true=value.sql.copy())], default=otherwise)
        added.append((name, Typed(case, value.type)))
    return relation.extend(added, binder.names)
