"""Fields whose names come from data: ``eval {field}=value``."""

from __future__ import annotations

import re

import pyarrow.compute as pc
from sqlglot import exp

from escudo.spl import coerce
from escudo.spl.bind import Binder
from escudo.spl.plan import Relation, Typed, alias, column, select

_NAME = re.compile(r"\{([^{}]+)\}")
MOST_NAMES = 1000
"""Names that one assignment can make."""


def named_by_value(relation: Relation, template: str, value: Typed, binder: Binder) -> Relation:
    """``template`` with each ``{field}`` replaced by the row's value of the field (Search
    Reference, eval: field names from values)."""
    parts: list[Typed] = []
    position = 0
    for found in _NAME.finditer(template):
        parts.append(coerce.text(template[position : found.start()]))
        parts.append(relation.field(found[1]) or coerce.null())
        position = found.end()
    parts.append(coerce.text(template[position:]))
    sql: exp.Expression | None = None
    for p in parts:
        text = coerce.as_text(p).copy()
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
        same = exp.EQ(this=column(ident), expression=coerce.literal_text(name))
        before = relation.field(name)
        otherwise = coerce.convert(before, value.type) if before else coerce.null(value.type).sql
        case = exp.Case(ifs=[exp.If(this=same, true=value.sql.copy())], default=otherwise)
        added.append((name, Typed(case, value.type)))
    return relation.extend(added, binder.names)
