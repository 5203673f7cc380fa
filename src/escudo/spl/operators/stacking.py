"""Relations -> one with the rows of all; ``append``, ``union``, ``tstats append=t`` call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from escudo.spl.binding.binder import Binder
from escudo.spl.lowering.scan import UnionBase
from escudo.spl.operators.windows import number_rows
from escudo.spl.relation.relation import Evidence, Relation
from escudo.spl.relation.sql import column, list_of, literal_integer
from escudo.spl.relation.steps import Order


def stack_rows(relations: Sequence[Relation], binder: Binder, *, ordered: bool = True) -> Relation:
    """The rows of all relations, those of the first before those of the second, and so on.

    Without ``ordered`` the order of the rows is left open.
    """
    children: list[Relation] = []
    positions: list[exp.Expression] = []
    for relation in relations:
        position = literal_integer(0)
        child = relation
        if ordered and relation.order:
            child, position = number_rows(relation, binder)
        children.append(child)
        positions.append(position)
    base = UnionBase(children, binder.names)
    evidence = _join_evidence(relations, base)
    order: tuple[Order, ...] = ()
    if ordered:
        branches = [literal_integer(i) for i in range(len(children))]
        keys = (base.add("branch", branches), base.add("position", positions))
        order = tuple(Order(column(k), number=column(k)) for k in keys)
    return Relation(base, order=order, evidence=evidence)


def _join_evidence(relations: Sequence[Relation], base: UnionBase) -> Evidence | None:
    proofs = [r.evidence for r in relations if r.evidence is not None]
    if len(proofs) < len(relations):
        return None
    lists = any(e.lists for e in proofs)

    def values(idents: Sequence[str]) -> list[exp.Expression]:
        return [
            list_of([column(i)]) if lists and not e.lists else column(i)
            for i, e in zip(idents, proofs, strict=True)
        ]

    return Evidence(
        base.add("_event_id", values([e.ids for e in proofs])),
        base.add("source_file", values([e.files for e in proofs])),
        lists,
    )


def merge_streams(relations: Sequence[Relation], binder: Binder) -> Relation:
    """The rows of several sets of events, newest first."""
    union = stack_rows([replace(r, order=()) for r in relations], binder, ordered=False)
    return union.newest_first()


def combine_rows(relations: Sequence[Relation], binder: Binder) -> Relation:
    """Streams of events are merged by time; anything else is put one below the other."""
    if all(_is_stream(r) for r in relations):
        return merge_streams(relations, binder)
    return stack_rows(relations, binder)


def _is_stream(relation: Relation) -> bool:
    return relation.open and bool(relation.order) and relation.order[0].descending
