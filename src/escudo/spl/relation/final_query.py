"""A relation -> the query of its fields, each once, in its order; for the end of a search and for
the places where rows are fetched while binding."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, column, order_rows, select

Output = tuple[tuple[str, str, FieldType], ...]
"""(SPL name, SQL identifier, type) of each column; the rest map is none of them."""


def select_fields(
    relation: Relation, names: Names, evidence: Sequence[str] = ()
) -> tuple[exp.Select, Output]:
    """The query and its columns: the fields, what proves a row, and the rest map as it is.

    ``evidence`` are the names for the lists of event ids and of source files; they are left out
    without names, and where the rows have none.
    """
    items: list[exp.Expression] = []
    output: list[tuple[str, str, FieldType]] = []

    def show(name: str, sql: exp.Expression, kind: FieldType) -> None:
        ident = names.fresh(name)
        items.append(alias(sql, ident))
        output.append((name, ident, kind))

    proof = relation.evidence if evidence else None
    for name in relation.names():
        bound = relation.shown(name)
        if bound is not None and not (proof and name in evidence):
            show(name, column(bound.ident), bound.type)
    if proof is not None:
        for name, lists in zip(evidence, proof.as_lists(), strict=True):
            show(name, lists, FieldType.MULTIVALUE)
    if relation.rest is not None:
        items.append(column(relation.rest))
    query = select(items or [alias(exp.null(), "nothing")], relation.render())
    order_rows(query, [o.ordered() for o in relation.order])
    return query, tuple(output)
