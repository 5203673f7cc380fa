"""Rows as a set: ``set union|diff|intersect``."""

from __future__ import annotations

from sqlglot import exp

from escudo.spl import coerce
from escudo.spl.bind import Binder
from escudo.spl.plan import Bound, Relation, alias, column, select


def set_of(operation: str, left: Relation, right: Relation, binder: Binder) -> Relation:
    """Rows are the same if all their fields are; internal fields (``_time``...) do not count.

    ``diff`` gives the rows that only one side has (Search Reference, set).
    """
    names = [n for n in dict.fromkeys([*left.names(), *right.names()]) if not n.startswith("_")]
    fields: dict[str, Bound] = {}
    for name in names:
        values = [v for r in (left, right) if (v := r.field(name)) is not None]
        fields[name] = Bound(binder.names.fresh(name), coerce.unify(values))

    def side(relation: Relation) -> exp.Select:
        cells = []
        for name, bound in fields.items():
            value = relation.field(name) or coerce.null(bound.type)
            cells.append(alias(coerce.convert(value, bound.type), bound.ident))
        return select(cells, relation.render())

    def build() -> exp.Select:
        kind = {"union": exp.Union, "intersect": exp.Intersect, "diff": exp.Except}[operation]
        query: exp.Expression = kind(this=side(left), expression=side(right), distinct=True)
        if operation == "diff":
            other = exp.Except(this=side(right), expression=side(left), distinct=True)
            first = select([exp.Star()], query)
            query = exp.Union(this=first, expression=select([exp.Star()], other), distinct=False)
        return select([column(b.ident) for b in fields.values()], query)

    return binder.query(build, [left, right], fields)
