"""Relations one below the other: ``append``, ``union``, ``tstats append=t``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from escudo.spl.binding.binder import Binder
from escudo.spl.lowering.scan import UnionBase
from escudo.spl.operators.windows import numbered
from escudo.spl.relation.relation import Evidence, Relation
from escudo.spl.relation.sql import column
from escudo.spl.relation.steps import Order


def stacked(relations: Sequence[Relation], binder: Binder, *, ordered: bool = True) -> Relation:
    """The rows of all relations, those of the first before those of the second, and so on.

    Without ``ordered`` the order of the rows is left open.
    """
    children: list[Relation] = []
    positions: list[exp.Expression] = []
    for relation in relations:
        position: exp.Expression = exp.Literal.number(0)
        child = relation
        if ordered and relation.order:
            child, position = numbered(relation, binder)
        children.append(child)
        positions.append(position)
    base = UnionBase(children, binder.names)
    evidence = _evidence(relations, base)
    order: tuple[Order, ...] = ()
    if ordered:
        branches: list[exp.Expression] = [exp.Literal.number(i) for i in range(len(children))]
        keys = (base.add("branch", branches), base.add("position", positions))
        order = tuple(Order(column(k), number=column(k)) for k in keys)
    return Relation(base, order=order, evidence=evidence)


def _evidence(relations: Sequence[Relation], base: UnionBase) -> Evidence | None:
    found = [r.evidence for r in relations if r.evidence is not None]
    if len(found) < len(relations):
        return None
    lists = any(e.lists for e in found)

    def values(idents: Sequence[str]) -> list[exp.Expression]:
        return [
            exp.Array(expressions=[column(i)]) if lists and not e.lists else column(i)
            for i, e in zip(idents, found, strict=True)
        ]

    return Evidence(
        base.add("_event_id", values([e.ids for e in found])),
        base.add("source_file", values([e.files for e in found])),
        lists,
    )


def merged(relations: Sequence[Relation], binder: Binder) -> Relation:
    """The rows of several sets of events, newest first."""
    union = stacked([replace(r, order=()) for r in relations], binder, ordered=False)
    return union.newest_first()


def together(relations: Sequence[Relation], binder: Binder) -> Relation:
    """Streams of events are merged by time; anything else is put one below the other."""
    if all(_is_stream(r) for r in relations):
        return merged(relations, binder)
    return stacked(relations, binder)


def _is_stream(relation: Relation) -> bool:
    return relation.open and bool(relation.order) and relation.order[0].descending
